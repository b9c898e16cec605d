//! The README's lines are run as they stand and answer as printed.

use std::process::Command;

use testkit::{Project, Running, workspace};

use super::PILASTER;

/// A command with the answer printed below it.
fn blocks(text: &str) -> Vec<(String, String)> {
    let block = text
        .split("readme-test")
        .nth(1)
        .expect("the README marks its tested lines");
    let block = block
        .split("```console\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let mut blocks: Vec<(String, String)> = Vec::new();
    let mut in_command = false;
    for line in block.expect("a block of commands").lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            blocks.push((command.to_owned(), String::new()));
            in_command = command.ends_with('\\');
        } else if let Some((command, answer)) = blocks.last_mut() {
            if in_command {
                command.push('\n');
                command.push_str(line);
                in_command = line.ends_with('\\');
            } else {
                answer.push_str(line);
            }
        }
    }
    blocks
}

/// Whether `found` is `expected`, where `…` stands for anything within a text.
fn matches(expected: &str, found: &str) -> bool {
    let mut rest = found;
    for (place, part) in expected.split('…').enumerate() {
        let Some(at) = rest.find(part) else {
            return false;
        };
        if (place == 0 && at != 0) || rest[..at].contains('"') {
            return false;
        }
        rest = &rest[at + part.len()..];
    }
    rest.is_empty()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_minute_is_as_printed() {
    let readme = std::fs::read_to_string(workspace().join("README.md")).expect("a README");
    let project = Project::cruddur();
    let server = Running::spawn(PILASTER, &project, &["dev"])
        .until_ready()
        .await;
    let port = server
        .base()
        .trim_start_matches("http://")
        .replace("127.0.0.1", "localhost");
    let mut script = String::from("set -e\n");
    let blocks = blocks(&readme);
    for (command, _) in &blocks {
        script.push_str(&command.replace("localhost:8000", &port));
        script.push_str("\necho; echo ---\n");
    }
    let output = Command::new("bash")
        .args(["-c", &script])
        .output()
        .expect("bash runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let found: Vec<&str> = text.split("---\n").map(str::trim).collect();
    assert!(blocks.len() >= 4, "{blocks:?}");
    for ((command, expected), found) in blocks.iter().zip(found) {
        assert!(
            matches(expected, found),
            "{command}\nprinted  {found}\nexpected {expected}"
        );
    }
}
