//! Front-end modules from the npm registry at pinned versions, kept in the tree by hash.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::command::{output, root, target};

/// Folders below `crates/server/assets/vendor`; each has a `vendor.json` with `package`,
/// `version`, `integrity` and the `files` taken from the package.
const VENDOR: &str = "crates/server/assets/vendor";

/// Fetches each pinned package and compares its files with the tree; `--write` is not offered:
/// a new version is a change of `vendor.json`, the files deleted, and this command run.
pub(crate) fn run() -> Result<()> {
    let mut folders: Vec<_> = fs::read_dir(root().join(VENDOR))
        .with_context(|| format!("cannot read {VENDOR}"))?
        .collect::<std::io::Result<_>>()?;
    folders.sort_by_key(fs::DirEntry::path);
    for folder in folders {
        compare(&folder.path())?;
    }
    Ok(())
}

fn compare(folder: &Path) -> Result<()> {
    let pin: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.join("vendor.json"))?).context("vendor.json")?;
    let text = |key: &str| {
        pin[key]
            .as_str()
            .with_context(|| format!("vendor.json lacks {key}"))
    };
    let (package, version) = (text("package")?, text("version")?);
    let work = target().join("vendor");
    fs::create_dir_all(&work)?;
    let packed = output(
        Command::new("npm")
            .args(["pack", "--json", "--pack-destination"])
            .arg(&work)
            .arg(format!("{package}@{version}")),
    )?;
    let packed: serde_json::Value = serde_json::from_str(&packed)?;
    if packed[0]["integrity"].as_str() != Some(text("integrity")?) {
        bail!("{package}@{version}: the registry's integrity is not the pinned one");
    }
    let archive = work.join(
        packed[0]["filename"]
            .as_str()
            .context("npm pack names no file")?,
    );
    for file in pin["files"].as_array().context("vendor.json lacks files")? {
        let file = file.as_str().context("a file's name is a text")?;
        let fetched = Command::new("tar")
            .arg("-xzOf")
            .arg(&archive)
            .arg(format!("package/{file}"))
            .output()?;
        let name = Path::new(file).file_name().context("a file has a name")?;
        let kept = folder.join(name);
        if !kept.exists() {
            fs::write(&kept, &fetched.stdout)?;
            println!("{} written", kept.display());
        } else if fs::read(&kept)? != fetched.stdout {
            bail!("{} differs from {package}@{version}", kept.display());
        }
    }
    println!("{package} {version} matches");
    Ok(())
}
