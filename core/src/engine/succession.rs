//! One engine takes the place of another, whose settings were changed.

use super::Engine;
use crate::modes::Authenticator;

impl Engine {
    /// Takes over what `earlier` remembers, as far as it counts for the settings of this engine
    /// too: the keys of the same issuer, and credentials that were checked by the same rules. So a
    /// change of something else makes nobody wait, and asks no authorization server again.
    ///
    /// `earlier` may go on with the requests that it has begun.
    pub fn succeed(&mut self, earlier: &mut Self) {
        let room = self.config.cache_entries == earlier.config.cache_entries;
        match (&mut self.authenticator, &mut earlier.authenticator) {
            (Authenticator::ApiKey(own), Authenticator::ApiKey(earlier)) => own.succeed(earlier),
            (Authenticator::Jwt(own), Authenticator::Jwt(earlier)) => own.succeed(earlier, room),
            (Authenticator::OidcProxy(own), Authenticator::OidcProxy(earlier)) => {
                own.succeed(earlier);
            }
            (Authenticator::Zscaler(own), Authenticator::Zscaler(earlier)) if room => {
                own.succeed(earlier);
            }
            _ => {}
        }
    }
}
