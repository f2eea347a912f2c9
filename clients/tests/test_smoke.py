def test_a_call(api, acme):
    user = acme.users[0].user
    assert api(user).get("/api/auth/me").json()["id"] == user.pk


def test_live(live_server_url, acme, api):
    import requests
    h = api(acme.users[0].user).headers
    assert requests.get(live_server_url + "/chat/conversations", headers=h).json()["data"]["total"] == 0
