//! One colour of an organisation, made readable on light and on dark pages.

use std::fmt::Write as _;
use std::str::FromStr;

/// A colour of the screen (sRGB).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour([u8; 3]);

/// A text that names no colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a colour is written as #1f5c4d")]
pub struct ColourError;

/// What pages are painted on, as `style.css` has it.
const PAPER: Colour = Colour([0xfc, 0xfb, 0xf9]);
const NIGHT: Colour = Colour([0x16, 0x17, 0x1a]);
const WHITE: Colour = Colour([0xff; 3]);
const BLACK: Colour = Colour([0x11, 0x11, 0x11]);

/// How much text has to stand out (WCAG 2.2, 1.4.3), with a little to spare for rounding.
const READABLE: f64 = 4.6;

impl FromStr for Colour {
    type Err = ColourError;

    fn from_str(text: &str) -> Result<Self, ColourError> {
        let digits = text.strip_prefix('#').ok_or(ColourError)?;
        let is_hex = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u32::from_str_radix(digits, 16).map_err(|_| ColourError)?;
        let [_, red, green, blue] = number.to_be_bytes();
        match is_hex {
            true => Ok(Self([red, green, blue])),
            false => Err(ColourError),
        }
    }
}

impl Colour {
    /// Relative luminance, 0 to 1 (WCAG 2.2).
    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            match part <= 0.040_45 {
                true => part / 12.92,
                false => ((part + 0.055) / 1.055).powf(2.4),
            }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// How much two colours stand out from each other, 1 to 21 (WCAG 2.2).
    fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// The colour with so many sixteenths of another one in it.
    fn mixed(self, other: Self, sixteenths: u16) -> Self {
        let mut parts = self.0;
        for (part, other) in parts.iter_mut().zip(other.0) {
            let sum = u16::from(*part) * (16 - sixteenths) + u16::from(other) * sixteenths;
            *part = u8::try_from(sum / 16).unwrap_or(u8::MAX);
        }
        Self(parts)
    }

    /// The colour, moved towards `other` until it can be read on `ground`.
    fn readable_on(self, ground: Self, other: Self) -> Self {
        let mixed = (0..=16).map(|sixteenths| self.mixed(other, sixteenths));
        let found = mixed
            .into_iter()
            .find(|colour| colour.contrast(ground) >= READABLE);
        found.unwrap_or(other)
    }

    /// Text that can be read on it.
    fn ink(self) -> Self {
        match self.contrast(WHITE) >= self.contrast(BLACK) {
            true => WHITE,
            false => BLACK,
        }
    }

    fn css(self) -> String {
        let [red, green, blue] = self.0;
        format!("#{red:02x}{green:02x}{blue:02x}")
    }

    /// The style that gives pages this colour.
    pub(super) fn sheet(self) -> String {
        let light = self.readable_on(PAPER, BLACK);
        let dark = self.readable_on(NIGHT, WHITE);
        let mut css = String::new();
        for (before, colour, after) in [
            (":root {", light, "}\n"),
            (
                "@media (prefers-color-scheme: dark) { :root {",
                dark,
                "} }\n",
            ),
        ] {
            // Writing to a text cannot fail.
            let _ = write!(
                css,
                "{before} --accent: {}; --on-accent: {}; {after}",
                colour.css(),
                colour.ink().css()
            );
        }
        css
    }
}

#[cfg(test)]
mod tests {
    //! Colours that nobody could read as they are.

    use super::{Colour, NIGHT, PAPER, READABLE};

    #[test]
    fn every_colour_is_readable_on_both_grounds() {
        for text in [
            "#ffff00", "#000000", "#ffffff", "#1f5c4d", "#ff0000", "#7f7f7f", "#0000ff",
        ] {
            let colour: Colour = text.parse().expect(text);
            for (ground, other) in [(PAPER, super::BLACK), (NIGHT, super::WHITE)] {
                let shown = colour.readable_on(ground, other);
                assert!(shown.contrast(ground) >= READABLE, "{text}");
                assert!(shown.contrast(shown.ink()) >= 4.5, "{text}");
            }
        }
        let fine: Colour = "#1f5c4d".parse().expect("a colour");
        assert!(
            fine.sheet()
                .starts_with(":root { --accent: #1f5c4d; --on-accent: #ffffff;")
        );
    }

    #[test]
    fn what_is_no_colour_is_refused() {
        for text in [
            "",
            "1f5c4d",
            "#1f5c4",
            "#1f5c4g",
            "red",
            "#+12345",
            "#1f5c4d; }",
        ] {
            assert!(text.parse::<Colour>().is_err(), "{text}");
        }
    }
}
