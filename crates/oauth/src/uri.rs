//! URIs, split strictly: what two parsers could read in two ways is refused.

/// The parts of an absolute URI (RFC 3986 §3), as they stand in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Uri<'t> {
    /// Lower case.
    pub(crate) scheme: &'t str,
    /// Lower case, with the brackets of an IPv6 address; empty where there is no authority.
    pub(crate) host: &'t str,
    /// Decimal, without leading zeros.
    pub(crate) port: Option<u16>,
    /// From the first `/` on; may be empty.
    pub(crate) path: &'t str,
    /// Without the `?`.
    pub(crate) query: Option<&'t str>,
}

/// The longest URI that is taken, bytes.
const MAX_BYTES: usize = 2000;

impl<'t> Uri<'t> {
    /// Splits `text`; the error says what is wrong with it, for a developer.
    ///
    /// Refused: a fragment (RFC 6749 §3.1.2), user information, a host or scheme in upper case, an
    /// empty host after `//`, a port of other form, dot segments, also encoded ones, a broken
    /// percent sign, an encoded control character, slash or backslash, and each character that RFC
    /// 3986 does not allow: so spaces, control characters, backslashes, quotes and all beyond
    /// ASCII, host names included, which have to be written in their `xn--` form.
    pub(crate) fn parse(text: &'t str) -> Result<Self, &'static str> {
        if text.len() > MAX_BYTES {
            return Err("it is longer than 2000 bytes");
        }
        check_characters(text)?;
        let (scheme, rest) = text.split_once(':').ok_or("it has no scheme")?;
        check_scheme(scheme)?;
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        let (authority, path) = match rest.strip_prefix("//") {
            None => (None, rest),
            Some(rest) => match rest.find('/') {
                None => (Some(rest), ""),
                Some(at) => (Some(&rest[..at]), &rest[at..]),
            },
        };
        let (host, port) = match authority {
            None => ("", None),
            Some(authority) => split_authority(authority)?,
        };
        if path.starts_with("//") {
            return Err("its path begins with two slashes");
        }
        if path.split('/').any(is_dot_segment) {
            return Err("its path has a dot segment");
        }
        Ok(Self {
            scheme,
            host,
            port,
            path,
            query,
        })
    }

    /// Whether its host is this machine, as an address (RFC 8252 §7.3: not the name `localhost`,
    /// which somebody else can answer for).
    pub(crate) fn is_loopback_address(&self) -> bool {
        matches!(self.host, "127.0.0.1" | "[::1]")
    }

    /// Whether its host is this machine, by address or by name.
    pub(crate) fn is_loopback(&self) -> bool {
        self.is_loopback_address() || self.host == "localhost"
    }
}

/// RFC 3986 §2: unreserved, reserved without `#`, and `%` before two hexadecimal digits.
fn check_characters(text: &str) -> Result<(), &'static str> {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => {}
            b'-' | b'.' | b'_' | b'~' | b':' | b'/' | b'?' | b'[' | b']' | b'@' | b'!' | b'$'
            | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' => {}
            b'#' => return Err("it has a fragment"),
            b'%' => {
                let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
                let value = match (digit(bytes.next()), digit(bytes.next())) {
                    (Some(high), Some(low)) => high * 16 + low,
                    _ => return Err("it has a percent sign without two digits"),
                };
                if value < 0x20 || value == 0x7f {
                    return Err("it has an encoded control character");
                }
            }
            _ => return Err("it has a character that no URI may have"),
        }
    }
    Ok(())
}

/// RFC 3986 §3.1.
fn check_scheme(scheme: &str) -> Result<(), &'static str> {
    let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'-' | b'.');
    let starts = scheme.starts_with(|first: char| first.is_ascii_lowercase());
    match starts && scheme.bytes().all(fits) {
        true => Ok(()),
        false => Err("its scheme is not of lower-case letters, digits, +, - and ."),
    }
}

fn split_authority(authority: &str) -> Result<(&str, Option<u16>), &'static str> {
    if authority.contains('@') {
        return Err("it has user information");
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(inside) => {
            let (address, rest) = inside.split_once(']').ok_or("its bracket is open")?;
            let parsed: std::net::Ipv6Addr =
                address.parse().map_err(|_| "its address is not IPv6")?;
            if parsed.to_string() != address {
                return Err("its address is not in its shortest form");
            }
            (&authority[..address.len() + 2], rest)
        }
        None => {
            let at = authority.find(':').unwrap_or(authority.len());
            let (host, rest) = authority.split_at(at);
            check_host(host)?;
            (host, rest)
        }
    };
    match port.strip_prefix(':') {
        None if port.is_empty() => Ok((host, None)),
        None => Err("something follows its address"),
        Some(digits) => Ok((host, Some(parse_port(digits)?))),
    }
}

fn parse_port(digits: &str) -> Result<u16, &'static str> {
    let wrong = "its port is not a number from 1 to 65535";
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    match plain {
        true => digits.parse().map_err(|_| wrong),
        false => Err(wrong),
    }
}

/// Labels of letters, digits and hyphens, or an IPv4 address in its one plain form: what looks like
/// a number and is none (`0x7f.1`, `2130706433`, `127.1`) is read by browsers as an address.
fn check_host(host: &str) -> Result<(), &'static str> {
    let wrong = "its host is not a name in lower case or an address in plain form";
    if host.is_empty() || host.len() > 253 {
        return Err(wrong);
    }
    for label in host.split('.') {
        let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        let ends = |byte: char| byte == '-';
        let good = (1..=63).contains(&label.len())
            && label.bytes().all(fits)
            && !label.starts_with(ends)
            && !label.ends_with(ends);
        if !good {
            return Err(wrong);
        }
    }
    let last = host.rsplit('.').next().unwrap_or(host);
    // The WHATWG's URL standard, "ends in a number checker".
    let number = last.bytes().all(|byte| byte.is_ascii_digit())
        || last
            .strip_prefix("0x")
            .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    match number && host.parse::<std::net::Ipv4Addr>().is_err() {
        true => Err(wrong),
        false => Ok(()),
    }
}

/// `.` and `..`, however they are encoded; and an encoded slash or backslash, which some servers
/// decode before they look for segments.
fn is_dot_segment(segment: &str) -> bool {
    let plain = segment.to_ascii_lowercase().replace("%2e", ".");
    plain == "." || plain == ".." || plain.contains("%2f") || plain.contains("%5c")
}
