//! `secret generate`

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use server::MasterKey;
use stdx::Rng;

use crate::config::Configuration;
use crate::failure::{Failure, Outcome};

pub(super) fn generate(configuration: &Configuration) -> Outcome {
    if !configuration.text("secret_key").is_empty() {
        let origin = configuration.origin("secret_key");
        return Err(Failure::failed(format!("SECRET_KEY is set already ({origin})"))
            .fix("a new key makes stored keys and passwords useless; remove the old one by hand if that is wanted"));
    }
    write(&configuration.folder)?;
    println!("wrote SECRET_KEY to .env (mode 0600)");
    Ok(())
}

/// Adds a fresh `SECRET_KEY` to `.env`, readable by its owner alone.
pub(super) fn write(folder: &Path) -> Outcome {
    let path = folder.join(".env");
    let failed = |error: std::io::Error| Failure::failed(format!("{}: {error}", path.display()));
    let mut file: File = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)
        .map_err(failed)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))
        .map_err(failed)?;
    let key = MasterKey::generate(&Rng::System);
    writeln!(file, "SECRET_KEY={}", key.expose()).map_err(failed)
}
