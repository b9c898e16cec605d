//! What is pasted into a client, for the frameworks that are asked for most.

use super::Paste;
use crate::cli::Snippet;

/// The text for one framework.
pub(super) fn of(kind: Snippet, given: &Paste<'_>) -> String {
    let template = match kind {
        Snippet::Nextjs => NEXTJS,
        Snippet::Fastapi => FASTAPI,
        Snippet::Spring => SPRING,
        Snippet::Apache => APACHE,
        Snippet::Express => EXPRESS,
    };
    template
        .replace("{issuer}", given.issuer)
        .replace("{id}", given.id)
        .replace("{secret}", given.secret.unwrap_or(""))
        .replace("{redirect}", given.redirect_uri.unwrap_or(""))
}

/// Auth.js (next-auth 5).
const NEXTJS: &str = r#"// .env.local
// AUTH_PILASTER_ID={id}
// AUTH_PILASTER_SECRET={secret}
// The redirect URI is https://YOUR-APP/api/auth/callback/pilaster

// auth.ts
import NextAuth from "next-auth"

export const {handlers, auth, signIn, signOut} = NextAuth({
  providers: [{
    id: "pilaster",
    name: "Pilaster",
    type: "oidc",
    issuer: "{issuer}",
    clientId: process.env.AUTH_PILASTER_ID,
    clientSecret: process.env.AUTH_PILASTER_SECRET,
  }],
})
"#;

/// authlib.
const FASTAPI: &str = r#"# pip install authlib httpx itsdangerous
from authlib.integrations.starlette_client import OAuth

oauth = OAuth()
oauth.register(
    "pilaster",
    server_metadata_url="{issuer}/.well-known/openid-configuration",
    client_id="{id}",
    client_secret="{secret}",
    client_kwargs={"scope": "openid email profile", "code_challenge_method": "S256"},
)
# The redirect URI is {redirect}
"#;

/// Spring Security's OAuth 2.0 login.
const SPRING: &str =
    "# application.properties; the redirect URI is {baseUrl}/login/oauth2/code/pilaster
spring.security.oauth2.client.registration.pilaster.client-id={id}
spring.security.oauth2.client.registration.pilaster.client-secret={secret}
spring.security.oauth2.client.registration.pilaster.scope=openid,profile,email
spring.security.oauth2.client.provider.pilaster.issuer-uri={issuer}
";

/// `mod_auth_openidc`.
const APACHE: &str = r#"OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {id}
OIDCClientSecret {secret}
OIDCRedirectURI {redirect}
OIDCPKCEMethod S256
OIDCScope "openid email profile"
OIDCCryptoPassphrase "exec:/usr/bin/openssl rand -hex 32"

<Location />
  AuthType openid-connect
  Require valid-user
</Location>
"#;

/// openid-client.
const EXPRESS: &str = r#"// npm install openid-client
import * as client from "openid-client"

const config = await client.discovery(new URL("{issuer}"), "{id}", "{secret}")
const code_verifier = client.randomPKCECodeVerifier()
const state = client.randomState()
const url = client.buildAuthorizationUrl(config, {
  redirect_uri: "{redirect}",
  scope: "openid email profile",
  code_challenge: await client.calculatePKCECodeChallenge(code_verifier),
  code_challenge_method: "S256",
  state,
})
// Send the browser to `url`; at the redirect URI:
// const tokens = await client.authorizationCodeGrant(config, currentUrl,
//   {pkceCodeVerifier: code_verifier, expectedState: state})
"#;
