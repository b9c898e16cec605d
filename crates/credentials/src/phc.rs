//! The text form of a password hash.
//!
//! `$argon2id$v=19$m=19456,t=2,p=1,keyid=AAAAAQ$salt$output`, the format of the password hashing
//! competition (PHC string), all base64 without padding. `keyid` holds the pepper's version, four
//! bytes, big-endian.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::HashParams;

/// The parts of a hash text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Phc {
    pub(crate) params: HashParams,
    pub(crate) pepper_version: u32,
    pub(crate) salt: [u8; 16],
    pub(crate) output: [u8; 32],
}

impl Phc {
    pub(crate) fn write(&self) -> String {
        let HashParams {
            memory_kib,
            iterations,
            parallelism,
        } = self.params;
        format!(
            "$argon2id$v=19$m={memory_kib},t={iterations},p={parallelism},keyid={}${}${}",
            STANDARD_NO_PAD.encode(self.pepper_version.to_be_bytes()),
            STANDARD_NO_PAD.encode(self.salt),
            STANDARD_NO_PAD.encode(self.output),
        )
    }

    /// Reads exactly what [`Phc::write`] writes, within bounds that a login can afford.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("$argon2id$v=19$")?;
        let mut parts = rest.split('$');
        let (settings, salt, output) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let mut settings = settings.split(',');
        let params = HashParams {
            memory_kib: number(settings.next()?, "m=")?,
            iterations: number(settings.next()?, "t=")?,
            parallelism: number(settings.next()?, "p=")?,
        };
        let pepper_version = u32::from_be_bytes(bytes(settings.next()?.strip_prefix("keyid=")?)?);
        if settings.next().is_some() || !params.are_bearable() {
            return None;
        }
        Some(Self {
            params,
            pepper_version,
            salt: bytes(salt)?,
            output: bytes(output)?,
        })
    }
}

/// A number as [`Phc::write`] writes it, behind its name.
pub(crate) fn number(setting: &str, name: &str) -> Option<u32> {
    let digits = setting.strip_prefix(name)?;
    if digits.starts_with('+') || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    digits.parse().ok()
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    STANDARD_NO_PAD.decode(text).ok()?.try_into().ok()
}
