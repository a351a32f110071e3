//! How long the native binary takes to stop, for those who would end it by force.

use crate::proxy::GRACE;

/// What a process needs beside the time that it gives to requests, in seconds.
const MARGIN: u64 = 5;

/// Returns how many seconds after it was told to stop the binary has ended by itself.
pub(crate) fn stop_seconds() -> u64 {
    GRACE.as_secs().saturating_add(MARGIN)
}

/// Says what becomes of requests when the binary stops.
pub(crate) fn stop_remark() -> String {
    format!(
        "What is under way has {} s when it is told to stop; then streams are cut.",
        GRACE.as_secs()
    )
}
