//! The two DER structures that keys are handed over in.

/// An elliptic private key without its public half (RFC 5915 §3): version 1 and 32 bytes.
pub(super) fn ec_private_key(scalar: &[u8; 32]) -> [u8; 39] {
    let mut der = [0; 39];
    der[..7].copy_from_slice(&[0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20]);
    der[7..].copy_from_slice(scalar);
    der
}

/// Modulus and exponent of an `RSAPublicKey` (RFC 8017 §A.1.1), big-endian, no leading zeros.
pub(super) fn rsa_public_key(der: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (0x30, sequence, []) = element(der)? else {
        return None;
    };
    let (0x02, modulus, rest) = element(sequence)? else {
        return None;
    };
    let (0x02, exponent, []) = element(rest)? else {
        return None;
    };
    Some((positive(modulus)?, positive(exponent)?))
}

/// The first element: its tag, its contents, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        // X.690 §8.1.3.5: the long form; keys need at most two bytes of it.
        0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x82 => {
            let (bytes, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*bytes)), rest)
        }
        _ => return None,
    };
    let (contents, rest) = rest.split_at_checked(length)?;
    Some((tag, contents, rest))
}

/// A positive INTEGER without the zero that marks it as such.
fn positive(integer: &[u8]) -> Option<Vec<u8>> {
    let bytes = match integer {
        [0, rest @ ..] => rest,
        [first, ..] if *first < 0x80 => integer,
        _ => return None,
    };
    (!bytes.is_empty()).then(|| bytes.to_vec())
}
