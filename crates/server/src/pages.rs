//! The pages for people: signing in, registering, proving an address, a new password, one's account.
//!
//! Each is HTML from a template and words of a language, and a script that uses the same endpoints as
//! any other front end. No page holds a script or a style of its own, and none asks another host.

mod assets;
mod brand;
mod next;
mod settings;
mod show;
mod templates;
mod words;

pub(crate) use assets::{asset, brand, logo};
pub use brand::{Colour, ColourError};
pub use settings::{Logo, LogoError, PageName, PageSettings, Redirect, RedirectError};
pub(crate) use show::{
    account, administrator, confirm, consent, device, email, home, invitation, login, register,
    reset,
};
pub(crate) use templates::Pages;
pub use templates::{PageError, check_pages};
