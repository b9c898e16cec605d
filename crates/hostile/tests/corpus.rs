//! The kept corpus: whatever once broke a parser, and what reached its corners.

use std::path::Path;

fn each(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target);
    let mut files = 0;
    for entry in std::fs::read_dir(&folder).expect("the corpus is kept") {
        let path = entry.expect("readable").path();
        let bytes = std::fs::read(&path).expect("readable");
        assert!(
            std::panic::catch_unwind(|| check(&bytes)).is_ok(),
            "{} breaks the parser: {}",
            path.display(),
            String::from_utf8_lossy(&bytes)
        );
        files += 1;
    }
    assert!(files > 20, "{} holds {files} files", folder.display());
}

#[test]
fn urls() {
    each("url", hostile::url);
}

#[test]
fn schemas() {
    each("schema", hostile::schema);
}

#[test]
fn endpoints() {
    each("endpoint", hostile::endpoint);
}
