//! Records of decisions, as lines of the host's log.

use std::cell::Cell;

use portcullis_core::Decision;
use portcullis_core::audit::{AuditRecord, AuditShare};
use portcullis_core::config::{ConfigError, Setting};
use portcullis_core::rules::{AddressList, client_address};

use crate::exchange::Exchange;
use crate::host::{self, RequestFields};
use crate::trace;

/// What every record begins with in the log, so that it can be found there.
const MARK: &str = "audit";

/// Writes records.
pub(crate) struct Audit {
    share: AuditShare,
    mode: &'static str,
    trusted_proxies: Option<AddressList>,
    /// Counts decisions, from a random number on.
    next: Cell<u64>,
}

impl Audit {
    /// Makes what `PORTCULLIS_AUDIT` asks for; `None` where it asks for nothing.
    ///
    /// # Errors
    ///
    /// Refuses other words than `off` and those of [`AuditShare`].
    pub(crate) fn parse(
        setting: &str,
        mode: &'static str,
        trusted_proxies: Option<AddressList>,
        random: u64,
    ) -> Result<Option<Self>, ConfigError> {
        let word = setting.trim().to_ascii_lowercase();
        if matches!(word.as_str(), "" | "off") {
            return Ok(None);
        }
        let share = word.parse().map_err(|_| {
            let problem = "must be off, none, all, or a number from 0 to 1 such as 0.01";
            ConfigError::at(Setting::Audit, problem)
        })?;
        Ok(Some(Self {
            share,
            mode,
            trusted_proxies,
            next: Cell::new(random),
        }))
    }

    /// Writes a record of `decision` about the request of the context at work, which is not edited
    /// yet.
    // Rare, and large: the code of every request stays apart from it.
    #[cold]
    #[inline(never)]
    pub(crate) fn note(&self, decision: &Decision, exchange: &Exchange) {
        let number = self.next.replace(self.next.get().wrapping_add(1));
        if !self.share.wants(decision.outcome(), number) {
            return;
        }
        let (status, identity) = match decision {
            Decision::Forward(forward) => (None, Some(&forward.request)),
            Decision::Respond(local) => (Some(local.status), None),
        };
        let fields = RequestFields::read().unwrap_or_default();
        let headers = fields.headers();
        let head = fields.head(&headers);
        let now = host::time();
        let record = AuditRecord {
            at: now,
            head: &head,
            outcome: decision.outcome(),
            reason: decision.reason(),
            status,
            identity,
            mode: self.mode,
            own_id: None,
            client: client_address(&head, self.trusted_proxies.as_ref()),
            basis: exchange.basis(),
            took: now.saturating_sub(exchange.since()),
            trace_id: trace::id(&head),
        };
        log::info!("{MARK} {}", record.to_json());
    }
}
