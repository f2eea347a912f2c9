"""Writes of people and credentials."""

from .agents import agent_of_staff, bots_changed, create_agent, update_agent
from .contacts import create_contact, keep_former, recognised_by, update_contact
from .credentials import NewApiToken, create_api_token, create_platform_key, revoke
from .passwords import BadLink, ask_for_password_link, set_password, set_password_by_link, user_who_may_reset
from .tenants import (
    NewTenant,
    change_settings,
    create_client,
    create_tenant,
    for_new_clients,
    rotate_session_id,
    rules_changed,
    update_client,
)
from .users import NewUser, Person, create_user, create_users, end_log_ins, reset_password, update_user

__all__ = [
    "BadLink",
    "NewApiToken",
    "NewTenant",
    "NewUser",
    "Person",
    "agent_of_staff",
    "ask_for_password_link",
    "bots_changed",
    "change_settings",
    "create_agent",
    "create_api_token",
    "create_client",
    "create_contact",
    "create_platform_key",
    "create_tenant",
    "create_user",
    "create_users",
    "end_log_ins",
    "for_new_clients",
    "reset_password",
    "revoke",
    "rotate_session_id",
    "rules_changed",
    "set_password",
    "set_password_by_link",
    "update_agent",
    "update_client",
    "update_contact",
    "keep_former",
    "recognised_by",
    "update_user",
    "user_who_may_reset",
]
