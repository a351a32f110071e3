//! Reasons in plain words: what is the matter, and what to do.

mod credentials;
mod gateway;
mod sign_in;

use crate::reason::Reason;

/// Why a request was refused, for people who are to mend it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cause {
    /// What is the matter.
    pub cause: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

impl Cause {
    /// Returns the words for a refusal or a failure, `None` where the gateway did as it was asked.
    #[must_use]
    pub fn of(reason: Reason) -> Option<Self> {
        let mut rows = [credentials::ROWS, gateway::ROWS, sign_in::ROWS]
            .into_iter()
            .flatten();
        let (_, cause, remedy) = rows.find(|(reasons, ..)| reasons.contains(&reason))?;
        Some(Self { cause, remedy })
    }
}

/// Reasons, what is the matter, and what to do.
type Row = (&'static [Reason], &'static str, &'static str);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_words_but_those_for_what_was_asked() {
        use Reason as R;
        for reason in Reason::ALL {
            let as_asked = matches!(
                reason,
                R::Allowed
                    | R::Health
                    | R::Ready
                    | R::Preflight
                    | R::ResourceMetadata
                    | R::ServerMetadata
                    | R::Registered
                    | R::ConsentAsked
                    | R::ConsentGiven
                    | R::CodeIssued
                    | R::TokensIssued
                    | R::TokenRevoked
                    | R::NothingToRevoke
            );
            assert_eq!(Cause::of(*reason).is_none(), as_asked, "{reason}");
        }
    }
}
