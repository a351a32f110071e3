//! The limit of open files.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What a connection of a client needs: its own socket, and one to the protected resource.
const FOR_EACH_CONNECTION: u64 = 2;

/// Listener, logs, timers, calls.
const FOR_ALL: u64 = 64;

/// Raises the limit as far as this process may, and warns when it is still too low for
/// `max_connections`.
///
/// The usual soft limit, 1024, is for programs that use `select`; this one does not.
pub(crate) fn raise(max_connections: u32) {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Some systems allow less than they say; then the limit stays as it is.
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::debug!(%error, "cannot raise the limit of open files");
    }
    let needed = u64::from(max_connections) * FOR_EACH_CONNECTION + FOR_ALL;
    let present = getrlimit(Resource::Nofile).current;
    if let Some(limit) = present.filter(|limit| *limit < needed) {
        tracing::warn!(
            limit,
            needed,
            "too few open files are allowed for --max-connections: raise `ulimit -Hn`"
        );
    }
}
