//! How many wrong secrets the authorization server is asked about.
//!
//! Whoever guesses secrets makes the gateway ask for each guess. So calls about credentials that
//! nothing is known of come out of a budget: one for each source address and one in all. A call
//! that ends in anything but a refusal gives its part back, so that honest callers use up nothing.

mod budget;
mod source;
mod window;

pub use budget::{Attempt, AttemptBudget, AttemptEnd, AttemptLedger, AttemptLimits};
pub use source::Source;
pub use window::{RetryAfter, Window};
