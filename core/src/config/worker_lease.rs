//! Whether the workers of one process share calls.

use crate::config::{ConfigError, Setting};

/// When an Envoy filter shares calls and budgets with the other workers of its process. It does so
/// through a space that every plugin with the same `vm_id` reads and writes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum WorkerLease {
    /// Where the `vm_id` begins with `portcullis`, so that it is nobody else's.
    #[default]
    Auto,
    /// Always: whoever says so knows that no stranger has the same `vm_id`.
    On,
    /// Never: each worker makes its own calls and has a budget of its own.
    Off,
}

impl WorkerLease {
    /// Parses `auto`, `on` or `off`; a blank is `auto`.
    ///
    /// # Errors
    ///
    /// Refuses other words.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        match text.trim().to_ascii_lowercase().as_str() {
            "" | "auto" => Ok(Self::Auto),
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            _ => {
                let problem = "must be auto, on or off";
                Err(ConfigError::at(Setting::WorkerLease, problem))
            }
        }
    }

    /// Tells whether a filter in the VM of this id shares.
    #[must_use]
    pub fn applies_to(self, vm_id: &[u8]) -> bool {
        match self {
            Self::Auto => vm_id.starts_with(b"portcullis"),
            Self::On => true,
            Self::Off => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_space_of_our_own_is_trusted_unless_said() {
        let check = |text: &str, vm_id: &[u8], expected: bool| {
            let lease = WorkerLease::parse(text).expect(text);
            assert_eq!(lease.applies_to(vm_id), expected, "{text} {vm_id:?}");
        };
        check("", b"portcullis", true);
        check(" Auto ", b"portcullis-2", true);
        check("auto", b"", false);
        check("auto", b"my-portcullis", false);
        check("on", b"", true);
        check("off", b"portcullis", false);
        for bad in ["true", "1", "yes"] {
            assert!(WorkerLease::parse(bad).is_err(), "{bad}");
        }
    }
}
