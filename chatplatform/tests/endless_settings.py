from chatplatform.settings import *  # noqa: F403

ROOT_URLCONF = "chatplatform.tests.endless"
