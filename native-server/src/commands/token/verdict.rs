//! What the gateway would say of a token: its engine is asked.

use anyhow::{Context as _, anyhow};
use portcullis_core::jose::{Algorithm, TokenPolicy};
use portcullis_core::modes::{JwtMode, KeySource, Mode};
use portcullis_core::{
    Ambient, Config, Engine, HttpUrl, Peer, Reason, RequestHead, Seed, Step, UnixSeconds,
    UpstreamResponse,
};

use crate::crypto::{NativeVerifier, random_octets};
use crate::terminal::Palette;

/// What became of a request with the token.
pub(super) struct Verdict {
    pub(super) reason: Reason,
    policy: TokenPolicy,
}

impl Verdict {
    /// Decides a request with `token`, in mode `jwt` with these keys.
    ///
    /// # Errors
    ///
    /// Fails when the system has no randomness.
    pub(super) fn of(
        token: &str,
        keys: Vec<u8>,
        policy: TokenPolicy,
        now: UnixSeconds,
    ) -> anyhow::Result<Self> {
        // It is never called: the answer is at hand.
        let url = HttpUrl::parse("https://keys.invalid/").map_err(|problem| anyhow!(problem))?;
        let config = Config::new(Mode::Jwt(JwtMode {
            keys: KeySource::Jwks(url),
            policy: policy.clone(),
            algorithms: Algorithm::ALL.to_vec(),
        }));
        let seed = Seed::new(random_octets().context("cannot draw random numbers")?);
        let mut engine = Engine::new(config, Box::new(NativeVerifier::default()), seed);
        let credential = format!("Bearer {token}");
        let head = RequestHead {
            method: b"POST",
            authority: b"gateway",
            path: b"/mcp",
            headers: &[("authorization", credential.as_bytes())],
            peer: Peer::Unknown,
        };
        let ambient = || Ambient { now };
        let mut step = engine.handle_request(&head, ambient());
        if let Step::Wait { pending, .. } = step {
            let (_, call) = engine.poll_call().context("the engine waits for nothing")?;
            let answer = UpstreamResponse {
                status: 200,
                headers: Vec::new(),
                body: keys,
            };
            let wake = engine.handle_upstream(call, Ok(answer), ambient());
            step = engine.handle_wake(pending, &wake.answer, ambient());
        }
        let Step::Decide(decision) = step else {
            return Err(anyhow!("the engine does not decide"));
        };
        let reason = decision.reason();
        Ok(Self { reason, policy })
    }

    /// Tells whether the token is good.
    pub(super) fn is_good(&self) -> bool {
        self.reason == Reason::Allowed
    }

    /// Says it in words, with what to do.
    pub(super) fn text(&self, palette: Palette) -> String {
        if !self.is_good() {
            let word = palette.bad("REFUSED");
            return format!("{word} ({}): {}\n", self.reason.name(), self.why());
        }
        let mut text = palette.good("VERIFIED");
        text.push_str(": one of these keys signed it, and it counts now.\n");
        let open = match (
            self.policy.issuers.is_empty(),
            self.policy.audiences.is_empty(),
        ) {
            (false, false) => return text,
            (true, false) => "Any issuer was accepted: --issuer checks it.",
            (false, true) => "Any audience was accepted: --audience checks it.",
            (true, true) => {
                "Any issuer and audience was accepted: --issuer and --audience check them."
            }
        };
        text.push_str(open);
        text.push('\n');
        text
    }

    fn why(&self) -> &'static str {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "no other reason is one of a token"
        )]
        match self.reason {
            Reason::MalformedToken => "it is no JWT as RFC 7515 has it",
            Reason::TokenTooLarge => "it is larger than 16 KiB; ask for fewer claims",
            Reason::UnacceptableAlgorithm => {
                "its algorithm is not accepted, or the key of that name is for another one; \
                 RS, PS and ES 256/384/512 and EdDSA are accepted"
            }
            Reason::UnacceptableHeader => {
                "its header names keys or extensions (jwk, jku, x5u, x5c, crit); those never count"
            }
            Reason::UnknownKey => {
                "no key of the set fits its kid: another issuer, another environment, or the keys \
                 have been changed; compare kid with the set"
            }
            Reason::BadSignature => {
                "none of the keys made its signature: it was changed on the way, or another key \
                 of the same name signed it"
            }
            Reason::MissingExpiry => "it has no exp; tokens that never expire are not accepted",
            Reason::Expired => "it has expired: get a new one, or set the clock of this machine",
            Reason::NotYetValid => "it counts only later (nbf): compare the clocks",
            Reason::IssuedInFuture => "it was issued in the future (iat): compare the clocks",
            Reason::WrongIssuer => "its iss is no accepted issuer; the slash at the end counts",
            Reason::WrongAudience => {
                "its aud names no accepted audience: ask for a token for this service"
            }
            Reason::MalformedClaims => "its claims are no JSON, or of types that they cannot have",
            _ => "the gateway would not take it",
        }
    }
}
