//! Who holds the lock: written down so that the next process sees when that one is gone.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;

use stdx::{Clock, Rng};

/// A process of one machine, as proc(5) shows it. Only processes that have the first three in
/// common can see one another: then a process that is not shown is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Process {
    /// The start of its system; its first twelve digits.
    boot: String,
    /// Its namespace of process numbers: another container on the same machine has another.
    namespace: u64,
    /// Its user: processes of others may be hidden.
    user: u64,
    number: u64,
    /// When it began, in ticks since the start of the system: numbers are used again.
    began: u64,
}

/// A holder's name, of at most 64 letters: random digits, and where there is proc(5) its process.
pub(super) fn name(clock: &Clock, rng: &Rng) -> String {
    let id = stdx::new_id(clock, rng).simple().to_string();
    match Process::this() {
        Some(process) => format!("{}-{}", &id[id.len() - 12..], process.write()),
        None => id,
    }
}

/// Whether the process of that name ran on this machine and runs no more. `false` is also the
/// answer where nobody can know.
pub(super) fn is_gone(name: &str) -> bool {
    match (Process::read(name), Process::this()) {
        (Some(holder), Some(this)) => holder.is_gone_for(&this),
        _ => false,
    }
}

impl Process {
    fn this() -> Option<Self> {
        let number = u64::from(std::process::id());
        // A proc of another namespace shows other numbers.
        let shown = fs::read_link("/proc/self").ok()?;
        if shown.to_str()?.parse() != Ok(number) {
            return None;
        }
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let (_, began) = state_and_start(&fs::read_to_string("/proc/self/stat").ok()?)?;
        Some(Self {
            boot: boot.chars().filter(|c| *c != '-').take(12).collect(),
            namespace: fs::metadata("/proc/self/ns/pid").ok()?.ino(),
            user: u64::from(fs::metadata("/proc/self").ok()?.uid()),
            number,
            began,
        })
    }

    fn write(&self) -> String {
        let Self {
            boot,
            namespace,
            user,
            number,
            began,
        } = self;
        format!("{boot}-{namespace:x}-{user:x}-{number:x}-{began:x}")
    }

    fn read(name: &str) -> Option<Self> {
        let mut parts = name.split('-').skip(1);
        let boot = parts.next()?.to_owned();
        let mut number = || u64::from_str_radix(parts.next()?, 16).ok();
        Some(Self {
            boot,
            namespace: number()?,
            user: number()?,
            number: number()?,
            began: number()?,
        })
    }

    fn is_gone_for(&self, this: &Self) -> bool {
        let sees =
            self.boot == this.boot && self.namespace == this.namespace && self.user == this.user;
        if !sees {
            return false;
        }
        match fs::read_to_string(format!("/proc/{}/stat", self.number)) {
            Ok(stat) => state_and_start(&stat).is_some_and(|(state, began)| {
                // Z and X: it has ended, and its parent has not asked how.
                began != self.began || matches!(state, 'Z' | 'X')
            }),
            Err(error) => error.kind() == ErrorKind::NotFound,
        }
    }
}

/// The third and the 22nd field of proc(5)'s `stat`; the second is a name in brackets that may
/// hold anything.
fn state_and_start(stat: &str) -> Option<(char, u64)> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((state, fields.nth(18)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use stdx::{Clock, Rng};

    use super::{Process, is_gone, name};

    fn of(process: &Process) -> String {
        format!("0123456789ab-{}", process.write())
    }

    #[test]
    fn only_a_process_that_could_be_seen_is_ever_gone() {
        let own = name(&Clock::System, &Rng::System);
        assert!(own.len() <= 64, "{own}");
        assert!(!is_gone(&own), "{own}");
        let this = Process::this().expect("Linux has proc(5)");
        let mut child = Command::new("true").spawn().expect("it starts");
        let number = u64::from(child.id());
        child.wait().expect("it ends");
        let dead = Process {
            number,
            ..this.clone()
        };
        assert!(is_gone(&of(&dead)));
        let other_start = Process {
            began: this.began + 1,
            ..this.clone()
        };
        assert!(is_gone(&of(&other_start)));
        for elsewhere in [
            Process {
                boot: String::from("000000000000"),
                ..dead.clone()
            },
            Process {
                namespace: this.namespace + 1,
                ..dead.clone()
            },
            Process {
                user: this.user + 1,
                ..dead.clone()
            },
        ] {
            assert!(!is_gone(&of(&elsewhere)), "{elsewhere:?}");
        }
        for unknown in ["", "0199f0c2a4b07cc3b1f2a1b2c3d4e5f6", "x-y", "a-b-c-d-e-f"] {
            assert!(!is_gone(unknown), "{unknown}");
        }
    }
}
