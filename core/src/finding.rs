//! What a call brought, condensed: small enough to be handed from one worker to another.
//!
//! A finding holds no secret: of a token endpoint's answer it keeps the verdict, never the token.
//! Its octets come from a space that other programs may write to, so they are read as strictly as
//! anything from outside; what cannot be read is as good as absent.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::ambient::UnixSeconds;
use crate::cache::{KeysFinding, ProviderFinding};
use crate::denial::Outage;
use crate::digest::Digest;
use crate::modes::GrantFinding;
use crate::oauth::{DocumentFinding, TokensFinding};
use crate::upstream::CallFailure;

/// The first octet of what [`Finding::to_octets`] writes, changed with its form.
const FORM: u8 = 1;

/// The condensed outcome of one call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// When the outcome came.
    pub(crate) at: UnixSeconds,
    pub(crate) found: Found,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Found {
    /// What the token endpoint said.
    Grant(GrantFinding),
    /// What the JWKS is.
    Keys(KeysFinding),
    /// What a discovery document says. It is never handed on.
    Provider(ProviderFinding),
    /// What the provider's token endpoint says of a code. It is never handed on.
    Tokens(TokensFinding),
    /// What it says of a refresh token, and the same sealed for other engines.
    Renewed(TokensFinding, Option<String>),
    /// What it said to another engine, still sealed.
    Shared(String),
    /// Whether the provider revoked a token. It is never handed on.
    Revoked(Result<(), Outage>),
    /// What a client's document says. It is never handed on.
    ClientDocument(DocumentFinding),
    /// Whether the protected resource answers. It is never handed on.
    Resource(bool),
    /// Nothing: the call is none of the engine's mode.
    Nothing,
}

/// Knows what other engines with the same settings found.
pub trait Hearsay {
    /// Returns the latest finding of the call of this [name](crate::PendingCall::name), if it is
    /// known.
    fn recall(&mut self, call: &Digest) -> Option<Finding>;
}

/// An engine that is told nothing.
#[derive(Debug)]
pub(crate) struct NoHearsay;

impl Hearsay for NoHearsay {
    fn recall(&mut self, _: &Digest) -> Option<Finding> {
        None
    }
}

impl Finding {
    /// Tells whether it lets the owner of a credential in.
    #[must_use]
    pub const fn admits(&self) -> bool {
        matches!(self.found, Found::Grant(GrantFinding::Granted { .. }))
    }

    /// Writes the finding for another worker; `None` when it is of no use there.
    #[must_use]
    pub fn to_octets(&self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        out.push(FORM);
        out.extend_from_slice(&self.at.0.to_be_bytes());
        match &self.found {
            Found::Grant(GrantFinding::Granted {
                until,
                entitlements,
            }) => {
                out.push(1);
                out.extend_from_slice(&until.0.to_be_bytes());
                push_text(&mut out, entitlements.as_deref());
            }
            Found::Grant(GrantFinding::Refused) => out.push(2),
            Found::Grant(GrantFinding::Unavailable(outage)) => {
                out.push(3);
                out.extend_from_slice(&outage_octets(*outage));
            }
            Found::Keys(KeysFinding::Document { body, etag, life }) => {
                out.push(4);
                out.extend_from_slice(&life.to_be_bytes());
                push_text(&mut out, etag.as_deref());
                let length = u32::try_from(body.len()).ok()?;
                out.extend_from_slice(&length.to_be_bytes());
                out.extend_from_slice(body);
            }
            Found::Keys(KeysFinding::Unchanged { etag, life }) => {
                out.push(5);
                out.extend_from_slice(&life.unwrap_or_default().to_be_bytes());
                push_text(&mut out, etag.as_deref());
            }
            Found::Keys(KeysFinding::Unavailable(outage)) => {
                out.push(6);
                out.extend_from_slice(&outage_octets(*outage));
            }
            Found::Renewed(_, Some(shared)) | Found::Shared(shared) => {
                out.push(7);
                let length = u32::try_from(shared.len()).ok()?;
                out.extend_from_slice(&length.to_be_bytes());
                out.extend_from_slice(shared.as_bytes());
            }
            Found::Provider(_)
            | Found::Renewed(_, None)
            | Found::Tokens(_)
            | Found::Revoked(_)
            | Found::ClientDocument(_)
            | Found::Resource(_)
            | Found::Nothing => return None,
        }
        Some(out)
    }

    /// Reads what [`Self::to_octets`] wrote; `None` when it is anything else.
    #[must_use]
    pub fn from_octets(octets: &[u8]) -> Option<Self> {
        let mut rest = octets;
        let [FORM] = take(&mut rest)? else {
            return None;
        };
        let at = UnixSeconds(take_number(&mut rest)?);
        let [kind] = take(&mut rest)?;
        let found = match kind {
            1 => Found::Grant(GrantFinding::Granted {
                until: UnixSeconds(take_number(&mut rest)?),
                entitlements: take_text(&mut rest)?,
            }),
            2 => Found::Grant(GrantFinding::Refused),
            3 => Found::Grant(GrantFinding::Unavailable(take_outage(&mut rest)?)),
            4 => Found::Keys(KeysFinding::Document {
                life: take_number(&mut rest)?,
                etag: take_text(&mut rest)?,
                body: take_document(&mut rest)?,
            }),
            5 => Found::Keys(KeysFinding::Unchanged {
                life: Some(take_number(&mut rest)?).filter(|life| *life > 0),
                etag: take_text(&mut rest)?,
            }),
            6 => Found::Keys(KeysFinding::Unavailable(take_outage(&mut rest)?)),
            7 => Found::Shared(String::from_utf8(take_document(&mut rest)?).ok()?),
            _ => return None,
        };
        rest.is_empty().then_some(Self { at, found })
    }
}

/// Appends a text after its length; one that is absent differs from an empty one.
fn push_text(out: &mut Vec<u8>, text: Option<&str>) {
    let text = text.filter(|text| text.len() < usize::from(u16::MAX));
    let length = text.map_or(Some(u16::MAX), |text| u16::try_from(text.len()).ok());
    out.extend_from_slice(&length.unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(text.unwrap_or_default().as_bytes());
}

fn take_text(rest: &mut &[u8]) -> Option<Option<String>> {
    let length = u16::from_be_bytes(take(rest)?);
    if length == u16::MAX {
        return Some(None);
    }
    let (text, after) = rest.split_at_checked(usize::from(length))?;
    *rest = after;
    Some(Some(core::str::from_utf8(text).ok()?.to_string()))
}

fn take_document(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let length = usize::try_from(u32::from_be_bytes(take(rest)?)).ok()?;
    let (document, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(document.to_vec())
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*first)
}

fn take_number(rest: &mut &[u8]) -> Option<u64> {
    take(rest).map(u64::from_be_bytes)
}

fn outage_octets(outage: Outage) -> [u8; 3] {
    let (kind, status) = match outage {
        Outage::Call(CallFailure::NotSent) => (1, 0),
        Outage::Call(CallFailure::Unreachable) => (2, 0),
        Outage::Call(CallFailure::TimedOut) => (3, 0),
        Outage::Call(CallFailure::Cut) => (4, 0),
        Outage::Call(CallFailure::TooLarge) => (5, 0),
        Outage::Status(status) => (6, status),
        Outage::Garbage => (7, 0),
        Outage::WaitedTooLong => (8, 0),
        Outage::NoRoom => (9, 0),
        Outage::NoBody => (10, 0),
    };
    let [high, low] = u16::to_be_bytes(status);
    [kind, high, low]
}

fn take_outage(rest: &mut &[u8]) -> Option<Outage> {
    let octets @ [kind, high, low] = take(rest)?;
    let outage = match kind {
        1 => Outage::Call(CallFailure::NotSent),
        2 => Outage::Call(CallFailure::Unreachable),
        3 => Outage::Call(CallFailure::TimedOut),
        4 => Outage::Call(CallFailure::Cut),
        5 => Outage::Call(CallFailure::TooLarge),
        6 => Outage::Status(u16::from_be_bytes([high, low])),
        7 => Outage::Garbage,
        8 => Outage::WaitedTooLong,
        9 => Outage::NoRoom,
        10 => Outage::NoBody,
        _ => return None,
    };
    (outage_octets(outage) == octets).then_some(outage)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Found> {
        let outages = [
            Outage::Call(CallFailure::NotSent),
            Outage::Call(CallFailure::Unreachable),
            Outage::Call(CallFailure::TimedOut),
            Outage::Call(CallFailure::Cut),
            Outage::Call(CallFailure::TooLarge),
            Outage::Status(429),
            Outage::Garbage,
            Outage::WaitedTooLong,
            Outage::NoRoom,
        ];
        let mut all = Vec::from([
            Found::Grant(GrantFinding::Granted {
                until: UnixSeconds(7),
                entitlements: None,
            }),
            Found::Grant(GrantFinding::Granted {
                until: UnixSeconds(7),
                entitlements: Some("ZIA,ZPA".into()),
            }),
            Found::Grant(GrantFinding::Refused),
            Found::Keys(KeysFinding::Document {
                body: b"{}".into(),
                etag: Some("\"e\"".into()),
                life: 60,
            }),
            Found::Shared("AQID".into()),
            Found::Keys(KeysFinding::Unchanged {
                etag: None,
                life: None,
            }),
            Found::Keys(KeysFinding::Unchanged {
                etag: Some(String::new()),
                life: Some(60),
            }),
        ]);
        for outage in outages {
            all.push(Found::Grant(GrantFinding::Unavailable(outage)));
            all.push(Found::Keys(KeysFinding::Unavailable(outage)));
        }
        all
    }

    #[test]
    fn octets_are_read_as_they_were_written_and_not_when_they_are_cut() {
        for found in all() {
            let at = UnixSeconds(1_800_000_000);
            let finding = Finding { at, found };
            let octets = finding.to_octets().unwrap();
            assert_eq!(Finding::from_octets(&octets), Some(finding.clone()));
            for length in 0..octets.len() {
                assert_eq!(Finding::from_octets(&octets[..length]), None, "{finding:?}");
            }
        }
    }

    #[test]
    fn other_octets_are_no_finding() {
        let mut octets = Finding {
            at: UnixSeconds(1),
            found: Found::Grant(GrantFinding::Refused),
        }
        .to_octets()
        .unwrap();
        octets.push(0);
        assert_eq!(Finding::from_octets(&octets), None, "more than one");
        for first in (0..=255_u8).filter(|first| *first != FORM) {
            octets[0] = first;
            assert_eq!(Finding::from_octets(&octets), None);
        }
        let resource = Finding {
            at: UnixSeconds(1),
            found: Found::Resource(true),
        };
        assert_eq!(resource.to_octets(), None);
    }
}
