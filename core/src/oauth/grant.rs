//! What a sign-in is about, from one step to the next: each is sealed and given away.
//!
//! Nothing is stored, so each step carries all that the next one checks. A code wraps that of the
//! authorization server, unspent: whoever redeems it twice is refused there, and by no memory here.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::octets::{Reader, Writer};
use super::pkce::{CodeChallenge, CodeVerifier};
use super::seal::{Purpose, Sealer};
use super::tokens::Tokens;
use crate::ambient::UnixSeconds;
use crate::digest::Digest;
use crate::entropy::Entropy;

/// How long a consent page may stay open, in seconds.
pub(crate) const CONSENT_SECONDS: u64 = 10 * 60;

/// How long a person may take at the authorization server, in seconds.
pub(crate) const FLOW_SECONDS: u64 = 10 * 60;

/// How long a code may wait for its client, in seconds (RFC 6749 §4.1.2: short).
pub(crate) const CODE_SECONDS: u64 = 60;

/// Something that is sealed for one purpose.
pub(crate) trait Sealed: Sized {
    const PURPOSE: Purpose;

    fn write(&self, writer: Writer) -> Option<Writer>;
    fn read(reader: &mut Reader<'_>) -> Option<Self>;

    /// Returns when it counts no more.
    fn until(&self) -> UnixSeconds;

    /// Seals it; `None` when a part is too long for its place.
    fn seal(&self, sealer: &Sealer, entropy: &mut Entropy) -> Option<String> {
        let content = self.write(Writer::default())?.finish();
        sealer.seal(Self::PURPOSE, &content, entropy)
    }

    /// Opens what was sealed for the same purpose and still counts.
    fn open(sealer: &Sealer, blob: &str, now: UnixSeconds) -> Option<Self> {
        let content: Vec<u8> = sealer.open(Self::PURPOSE, blob)?;
        let mut reader = Reader::new(&content);
        let read = Self::read(&mut reader)?;
        let read = reader.finish(read)?;
        (now < read.until()).then_some(read)
    }
}

/// What a client asked for (RFC 6749 §4.1.1, RFC 7636 §4.3), checked already.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Asked {
    /// The digest of its `client_id`.
    pub(crate) client: Digest,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: CodeChallenge,
    /// Empty when it sent none.
    pub(crate) state: String,
    /// Words that blanks part.
    pub(crate) scope: String,
    /// How the provider is to ask the person (OpenID Connect Core 1.0 §3.1.2.1); empty when it is
    /// not said.
    pub(crate) prompt: String,
}

impl Asked {
    fn write(&self, writer: Writer) -> Option<Writer> {
        writer
            .fixed(self.client.as_bytes())
            .fixed(self.challenge.as_octets())
            .text(&self.redirect_uri)?
            .text(&self.state)?
            .text(&self.scope)?
            .text(&self.prompt)
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            client: Digest::from_bytes(reader.fixed()?),
            challenge: CodeChallenge::from_octets(reader.fixed()?),
            redirect_uri: reader.text()?,
            state: reader.text()?,
            scope: reader.text()?,
            prompt: reader.text()?,
        })
    }
}

/// What a consent page asks a person about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ConsentRequest {
    pub(crate) asked: Asked,
    /// The digest of the cookie of the browser that shows the page: a page that another browser
    /// was given is no consent of this one's person.
    pub(crate) browser: Digest,
    pub(crate) until: UnixSeconds,
}

impl Sealed for ConsentRequest {
    const PURPOSE: Purpose = Purpose::Consent;

    fn write(&self, writer: Writer) -> Option<Writer> {
        let writer = self.asked.write(writer)?;
        Some(writer.fixed(self.browser.as_bytes()).time(self.until))
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            asked: Asked::read(reader)?,
            browser: Digest::from_bytes(reader.fixed()?),
            until: reader.time()?,
        })
    }

    fn until(&self) -> UnixSeconds {
        self.until
    }
}

/// What a browser keeps while its person signs in at the authorization server.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Flow {
    pub(crate) asked: Asked,
    pub(crate) proof: Proof,
    /// The `state` towards the authorization server.
    pub(crate) state: String,
    pub(crate) until: UnixSeconds,
}

/// What ties the authorization server's code to this flow.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Proof {
    /// The gateway's own code verifier.
    pub(crate) verifier: CodeVerifier,
    /// What the ID token must name (OpenID Connect Core 1.0 §3.1.2.1).
    pub(crate) nonce: String,
}

impl Proof {
    fn write(&self, writer: Writer) -> Option<Writer> {
        writer.text(self.verifier.as_str())?.text(&self.nonce)
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            verifier: CodeVerifier::parse(&reader.text()?)?,
            nonce: reader.text()?,
        })
    }
}

impl Sealed for Flow {
    const PURPOSE: Purpose = Purpose::Flow;

    fn write(&self, writer: Writer) -> Option<Writer> {
        let writer = self.proof.write(self.asked.write(writer)?)?;
        Some(writer.text(&self.state)?.time(self.until))
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            asked: Asked::read(reader)?,
            proof: Proof::read(reader)?,
            state: reader.text()?,
            until: reader.time()?,
        })
    }

    fn until(&self) -> UnixSeconds {
        self.until
    }
}

/// An authorization code: the authorization server's, with everything that it is bound to.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Code {
    pub(crate) asked: Asked,
    pub(crate) proof: Proof,
    /// The authorization server's code, not spent yet.
    pub(crate) code: String,
    pub(crate) until: UnixSeconds,
}

impl Sealed for Code {
    const PURPOSE: Purpose = Purpose::Code;

    fn write(&self, writer: Writer) -> Option<Writer> {
        let writer = self.proof.write(self.asked.write(writer)?)?;
        Some(writer.text(&self.code)?.time(self.until))
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            asked: Asked::read(reader)?,
            proof: Proof::read(reader)?,
            code: reader.text()?,
            until: reader.time()?,
        })
    }

    fn until(&self) -> UnixSeconds {
        self.until
    }
}

/// Who signed in, through which client, for what.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Authority {
    pub(crate) subject: String,
    /// The digest of the `client_id`.
    pub(crate) client: Digest,
    pub(crate) scope: String,
    /// When the person signed in.
    pub(crate) since: UnixSeconds,
}

impl Authority {
    fn write(&self, writer: Writer) -> Option<Writer> {
        let writer = writer.fixed(self.client.as_bytes()).text(&self.subject)?;
        Some(writer.text(&self.scope)?.time(self.since))
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            client: Digest::from_bytes(reader.fixed()?),
            subject: reader.text()?,
            scope: reader.text()?,
            since: reader.time()?,
        })
    }
}

/// An access token for the protected resource. It holds no token of the authorization server's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct AccessToken {
    pub(crate) authority: Authority,
    pub(crate) issued: UnixSeconds,
    pub(crate) until: UnixSeconds,
}

impl Sealed for AccessToken {
    const PURPOSE: Purpose = Purpose::AccessToken;

    fn write(&self, writer: Writer) -> Option<Writer> {
        let writer = self.authority.write(writer)?;
        Some(writer.time(self.issued).time(self.until))
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            authority: Authority::read(reader)?,
            issued: reader.time()?,
            until: reader.time()?,
        })
    }

    fn until(&self) -> UnixSeconds {
        self.until
    }
}

/// A refresh token: the authorization server's, for the client that it was given to.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct RefreshToken {
    pub(crate) authority: Authority,
    /// The authorization server's refresh token.
    pub(crate) token: String,
    /// The end of the session, however often it is refreshed.
    pub(crate) until: UnixSeconds,
}

impl Sealed for RefreshToken {
    const PURPOSE: Purpose = Purpose::RefreshToken;

    fn write(&self, writer: Writer) -> Option<Writer> {
        let writer = self.authority.write(writer)?;
        Some(writer.text(&self.token)?.time(self.until))
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            authority: Authority::read(reader)?,
            token: reader.text()?,
            until: reader.time()?,
        })
    }

    fn until(&self) -> UnixSeconds {
        self.until
    }
}

/// What the provider answered to a refresh, for other workers that are asked for the same.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct SharedAnswer {
    /// The digest of the refresh token that it is the answer to.
    pub(crate) of: Digest,
    pub(crate) tokens: Tokens,
    pub(crate) until: UnixSeconds,
}

impl Sealed for SharedAnswer {
    const PURPOSE: Purpose = Purpose::Answer;

    fn write(&self, writer: Writer) -> Option<Writer> {
        let token = |token: &Option<String>| token.clone().unwrap_or_default();
        Some(
            writer
                .fixed(self.of.as_bytes())
                .text(&token(&self.tokens.id_token))?
                .text(&token(&self.tokens.refresh_token))?
                .time(self.until),
        )
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let of = Digest::from_bytes(reader.fixed()?);
        let mut token = || {
            let token = reader.text()?;
            Some(Some(token).filter(|token| !token.is_empty()))
        };
        let tokens = Tokens {
            id_token: token()?,
            refresh_token: token()?,
        };
        Some(Self {
            of,
            tokens,
            until: reader.time()?,
        })
    }

    fn until(&self) -> UnixSeconds {
        self.until
    }
}

/// What is sealed is not shown otherwise, either.
macro_rules! concealed {
    ($($name:ident),*) => {
        $(impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        })*
    };
}

concealed!(Proof, Flow, Code, RefreshToken, SharedAnswer);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::StateKeys;
    use core::fmt::Debug;

    const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
    const UNTIL: UnixSeconds = UnixSeconds(1_800_000_060);

    fn sealer() -> Sealer {
        let keys = StateKeys::parse("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").unwrap();
        Sealer::new(keys, "https://gw.example", "https://gw.example/mcp")
    }

    fn asked() -> Asked {
        Asked {
            prompt: "login".into(),
            client: Digest::of(&[b"client"]),
            redirect_uri: "http://127.0.0.1:3000/callback".into(),
            challenge: CodeVerifier::from_entropy([7; 32]).challenge(),
            state: "é state".into(),
            scope: "mcp:tools".into(),
        }
    }

    fn proof() -> Proof {
        Proof {
            verifier: CodeVerifier::from_entropy([8; 32]),
            nonce: "nonce".into(),
        }
    }

    fn authority() -> Authority {
        Authority {
            subject: "alice".into(),
            client: Digest::of(&[b"client"]),
            scope: "mcp:tools".into(),
            since: NOW,
        }
    }

    fn flow() -> Flow {
        Flow {
            asked: asked(),
            proof: proof(),
            state: "own".into(),
            until: UNTIL,
        }
    }

    fn code() -> Code {
        Code {
            asked: asked(),
            proof: proof(),
            code: "code".into(),
            until: UNTIL,
        }
    }

    /// It opens as what it was until its time, and not after it.
    fn check<T: Sealed + Debug + PartialEq>(sealed: &T) {
        let blob = sealed.seal(&sealer(), &mut Entropy::new([1; 32])).unwrap();
        let last = UnixSeconds(UNTIL.0 - 1);
        assert_eq!(T::open(&sealer(), &blob, NOW).as_ref(), Some(sealed));
        assert_eq!(T::open(&sealer(), &blob, last).as_ref(), Some(sealed));
        assert_eq!(T::open(&sealer(), &blob, UNTIL), None, "{sealed:?}");
    }

    #[test]
    fn each_step_opens_as_it_was_sealed_until_its_time() {
        let browser = Digest::of(&[b"cookie"]);
        check(&ConsentRequest {
            asked: asked(),
            browser,
            until: UNTIL,
        });
        check(&flow());
        check(&code());
        check(&AccessToken {
            authority: authority(),
            issued: NOW,
            until: UNTIL,
        });
        check(&RefreshToken {
            authority: authority(),
            token: "refresh".into(),
            until: UNTIL,
        });
    }

    #[test]
    fn no_step_is_taken_for_another() {
        // Both have the same fields in the same order.
        let blob = flow().seal(&sealer(), &mut Entropy::new([1; 32])).unwrap();
        assert_eq!(Code::open(&sealer(), &blob, NOW), None);
        let blob = code().seal(&sealer(), &mut Entropy::new([1; 32])).unwrap();
        assert_eq!(Flow::open(&sealer(), &blob, NOW), None);
    }

    #[test]
    fn what_is_carried_fits_where_it_travels() {
        let mut entropy = Entropy::new([1; 32]);
        let mut large = flow();
        large.asked.state = "s".repeat(1024);
        let cookie = large.seal(&sealer(), &mut entropy).unwrap();
        assert!(
            cookie.len() < 3072,
            "a cookie has 4,096 octets: {}",
            cookie.len()
        );
        let mut long = code();
        long.code = "c".repeat(1200);
        let code = long.seal(&sealer(), &mut entropy).unwrap();
        assert!(code.len() < 2304, "{}", code.len());
        let token = AccessToken {
            authority: authority(),
            issued: NOW,
            until: UNTIL,
        };
        let token = token.seal(&sealer(), &mut entropy).unwrap();
        assert!(token.len() < 256, "{}", token.len());
    }
}
