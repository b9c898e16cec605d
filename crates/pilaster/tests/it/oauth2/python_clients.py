"""authlib and requests-oauthlib of PyPI, unmodified, against one server.

python python_clients.py BASE CLIENT_ID CLIENT_SECRET PERSON; prints one JSON line for each fact.
"""

import json
import os
import sys
import time
from urllib.parse import parse_qs, urlsplit

import httpx
from authlib.integrations.httpx_client import OAuth2Client
from authlib.jose import JsonWebKey, JsonWebToken
from requests_oauthlib import OAuth2Session

# The servers of tests are on this machine, without encryption.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

BASE, CLIENT_ID, SECRET, PERSON = sys.argv[1:5]
REDIRECT = "http://localhost:9/callback"
SCOPE = "openid email offline_access data:read"
METADATA = httpx.get(f"{BASE}/.well-known/openid-configuration").json()


def fact(name, holds):
    error = None
    try:
        holds()
    except Exception as thrown:  # noqa: BLE001 - told, and judged by the test
        error = f"{type(thrown).__name__}: {thrown}"
    print(json.dumps({"fact": name, "error": error}), flush=True)


def same(actual, expected):
    assert actual == expected, f"{actual!r} is not {expected!r}"


class Browser:
    """Cookies, and no redirect followed by itself."""

    def __init__(self):
        self.http = httpx.Client(base_url=BASE, follow_redirects=False)
        self.csrf = ""

    def authorize(self, address):
        for _ in range(8):
            answer = self.http.get(address)
            same(answer.status_code, 303)
            place = answer.headers["location"]
            if place.startswith(REDIRECT):
                return place
            asked = parse_qs(urlsplit(place).query)
            if urlsplit(place).path == "/auth/login":
                body = {"identifier": PERSON, "password": "a long pass phrase"}
                self.csrf = self.http.post("/auth/session", json=body).json()["csrf_token"]
                address = asked["next"][0]
            else:
                same(urlsplit(place).path, "/auth/consent")
                said = self.http.post(
                    f"/oauth2/consent/{asked['flow'][0]}",
                    json={"decision": "allow"},
                    headers={"x-csrf-token": self.csrf},
                )
                address = said.json()["next"]
        raise AssertionError("it goes round in circles")


BROWSER = Browser()


def by_authlib():
    client = OAuth2Client(
        CLIENT_ID,
        SECRET or None,
        scope=SCOPE,
        redirect_uri=REDIRECT,
        code_challenge_method="S256",
        token_endpoint=METADATA["token_endpoint"],
        token_endpoint_auth_method="client_secret_basic" if SECRET else "none",
    )
    verifier = "v" * 64
    url, _ = client.create_authorization_url(
        METADATA["authorization_endpoint"], code_verifier=verifier, nonce="n-0S6_WzA2Mj"
    )
    place = BROWSER.authorize(url)
    token = client.fetch_token(
        METADATA["token_endpoint"], authorization_response=place, code_verifier=verifier
    )
    same(token["expires_in"], 900)
    keys = JsonWebKey.import_key_set(httpx.get(METADATA["jwks_uri"]).json())
    algorithms = METADATA["id_token_signing_alg_values_supported"]
    claims = JsonWebToken(algorithms).decode(token["id_token"], keys)
    claims.validate()
    same([claims["iss"], claims["aud"], claims["nonce"]], [BASE, CLIENT_ID, "n-0S6_WzA2Mj"])
    info = client.get(METADATA["userinfo_endpoint"]).json()
    same([info["sub"], info["email"]], [claims["sub"], f"{PERSON}@example.org"])
    same(client.get(f"{BASE}/api/notes").status_code, 200)
    old = token["refresh_token"]
    renewed = client.refresh_token(METADATA["token_endpoint"], refresh_token=old)
    assert renewed["refresh_token"] != old, "it was not rotated"
    same(client.get(METADATA["userinfo_endpoint"]).status_code, 200)
    revoked = client.revoke_token(METADATA["revocation_endpoint"], token=renewed["refresh_token"])
    same(revoked.status_code, 200)
    same(client.get(METADATA["userinfo_endpoint"]).status_code, 401)


def by_requests_oauthlib():
    client = OAuth2Session(CLIENT_ID, redirect_uri=REDIRECT, scope=SCOPE.split(), pkce="S256")
    url, _ = client.authorization_url(METADATA["authorization_endpoint"])
    place = BROWSER.authorize(url)
    named = {"client_secret": SECRET} if SECRET else {"include_client_id": True}
    token = client.fetch_token(METADATA["token_endpoint"], authorization_response=place, **named)
    assert token["expires_at"] > time.time()
    same(client.get(METADATA["userinfo_endpoint"]).json()["email"], f"{PERSON}@example.org")
    extra = {"client_id": CLIENT_ID, **({"client_secret": SECRET} if SECRET else {})}
    renewed = client.refresh_token(METADATA["token_endpoint"], **extra)
    assert renewed["refresh_token"] != token["refresh_token"], "it was not rotated"
    same(client.get(f"{BASE}/api/notes").status_code, 200)


fact("authlib", by_authlib)
fact("requests-oauthlib", by_requests_oauthlib)
