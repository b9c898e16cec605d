//! Pairwise subjects: a person is called otherwise at each site, so that two sites cannot tell
//! that they know the same one (OpenID Connect Core §8.1).

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use stdx::Secret;

use crate::uri::Uri;

/// Why a client has no sector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SectorError {
    /// Nothing that names a host.
    #[error("none of the redirect URIs names a host; give a sector_identifier_uri")]
    NoHost,
    /// Redirect URIs of several hosts.
    #[error("the redirect URIs have several hosts; give a sector_identifier_uri")]
    SeveralHosts,
    /// A sector document that cannot be used.
    #[error("sector_identifier_uri has to be an https URI")]
    NotHttps,
}

/// The sector of a client: the host of its `sector_identifier_uri`, or the one host of its redirect
/// URIs. Whether the document at `sector_identifier_uri` names every redirect URI is checked where
/// it is fetched, by [`lists_all`].
pub fn sector(
    redirect_uris: &[String],
    sector_identifier_uri: Option<&str>,
) -> Result<String, SectorError> {
    if let Some(text) = sector_identifier_uri {
        return match Uri::parse(text) {
            Ok(uri) if uri.scheme == "https" => Ok(uri.host.to_owned()),
            Ok(_) | Err(_) => Err(SectorError::NotHttps),
        };
    }
    let mut hosts = redirect_uris
        .iter()
        .filter_map(|text| Uri::parse(text).ok())
        .map(|uri| uri.host)
        .filter(|host| !host.is_empty());
    let first = hosts.next().ok_or(SectorError::NoHost)?;
    match hosts.all(|host| host == first) {
        true => Ok(first.to_owned()),
        false => Err(SectorError::SeveralHosts),
    }
}

/// Whether a fetched sector document (a JSON list of URIs, §5 of Dynamic Registration) names every
/// redirect URI.
#[must_use]
pub fn lists_all(document: &[u8], redirect_uris: &[String]) -> bool {
    match serde_json::from_slice::<Vec<String>>(document) {
        Ok(listed) => redirect_uris.iter().all(|uri| listed.contains(uri)),
        Err(_) => false,
    }
}

/// What a user is called in a sector: 43 characters that follow from both and from `salt`, and
/// from which neither the user nor another sector's name can be found without it.
#[must_use]
pub fn pairwise_subject(sector: &str, user_id: &str, salt: &Secret<[u8; 32]>) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, salt.expose());
    // A host holds no zero byte, so no two pairs make one text.
    let text = format!("{sector}\0{user_id}");
    URL_SAFE_NO_PAD.encode(hmac::sign(&key, text.as_bytes()))
}
