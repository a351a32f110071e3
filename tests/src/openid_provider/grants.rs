//! What a provider has given away, and what of it still counts.

use std::collections::{HashMap, HashSet};

use aws_lc_rs::digest;

use super::quirks::Rotation;
use crate::signing::base64url;

/// Codes and refresh tokens by their text.
#[derive(Default)]
pub(super) struct Grants {
    codes: HashMap<String, Code>,
    refresh_tokens: HashMap<String, RefreshToken>,
    /// Sign-ins that count no more.
    ended: HashSet<usize>,
}

/// What a code is bound to.
pub(super) struct Code {
    pub(super) challenge: String,
    pub(super) redirect_uri: String,
    pub(super) nonce: String,
    session: usize,
    spent: bool,
}

struct RefreshToken {
    session: usize,
    spent: bool,
}

impl Grants {
    /// Begins a session with `code`.
    pub(super) fn begin(&mut self, code: &str, challenge: &str, redirect_uri: &str, nonce: &str) {
        let code_of_session = Code {
            challenge: challenge.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            nonce: nonce.to_owned(),
            session: self.codes.len(),
            spent: false,
        };
        self.codes.insert(code.to_owned(), code_of_session);
    }

    /// Spends a code, and returns its session and nonce. Whoever brings it a second time ends the
    /// session (RFC 6749 §4.1.2).
    pub(super) fn spend(
        &mut self,
        code: &str,
        verifier: &str,
        redirect_uri: &str,
    ) -> Option<(usize, String)> {
        let code = self.codes.get_mut(code)?;
        if code.spent {
            self.ended.insert(code.session);
            return None;
        }
        let digest = base64url(digest::digest(&digest::SHA256, verifier.as_bytes()));
        if code.challenge != digest || code.redirect_uri != redirect_uri {
            return None;
        }
        code.spent = true;
        Some((code.session, code.nonce.clone()))
    }

    /// Adds a refresh token to a session.
    pub(super) fn add(&mut self, token: &str, session: usize) {
        let spent = false;
        let added = RefreshToken { session, spent };
        self.refresh_tokens.insert(token.to_owned(), added);
    }

    /// Uses a refresh token, and returns its session.
    pub(super) fn refresh(&mut self, token: &str, rotation: Rotation) -> Option<usize> {
        let token = self.refresh_tokens.get_mut(token)?;
        let (session, was_spent) = (token.session, token.spent);
        token.spent = rotation != Rotation::None;
        if was_spent && rotation == Rotation::Strict {
            self.ended.insert(session);
        }
        (!was_spent && !self.ended.contains(&session)).then_some(session)
    }

    /// Ends the session of a refresh token.
    pub(super) fn revoke(&mut self, token: &str) {
        if let Some(token) = self.refresh_tokens.get(token) {
            self.ended.insert(token.session);
        }
    }
}
