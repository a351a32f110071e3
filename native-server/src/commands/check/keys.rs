//! Named API keys that count no more, or not for long.

use std::collections::BTreeMap;

use portcullis_core::UnixSeconds;
use portcullis_core::config::{Setting, Settings};
use portcullis_core::modes::read_api_keys;

use super::report::Finding;
use crate::moment::{DAY, civil, relative};

/// A key that ends sooner is to be rotated.
const NEAR: u64 = 14 * DAY;

/// More names are counted only.
const MAX_TOLD: usize = 20;

/// When the last key of a name ends; `None` for never.
type Ends = BTreeMap<String, Option<UnixSeconds>>;

/// Looks through the list of keys, which was found to be one before. A key that another of its name
/// outlives is one that was rotated.
pub(super) fn check(settings: &Settings, now: UnixSeconds) -> Vec<Finding> {
    let Some(list) = settings.non_blank(Setting::ApiKeys) else {
        return Vec::new();
    };
    let file = settings.non_blank(Setting::ApiKeysFile);
    let subject = file.unwrap_or(Setting::ApiKeys.name());
    let mut ends = Ends::new();
    let read = read_api_keys(list.as_bytes(), &mut |key| {
        let last = ends.entry(key.name.to_owned()).or_insert(key.expires);
        *last = last.zip(key.expires).map(|(one, other)| one.max(other));
        Ok(())
    });
    if read.is_err() {
        return Vec::new();
    }
    let near = ends.iter().filter_map(|(name, end)| {
        let end = (*end)?;
        (end <= now || end.since(now) < NEAR).then(|| ending(subject, name, end, now))
    });
    let mut findings: Vec<Finding> = near.clone().take(MAX_TOLD).collect();
    let more = near.count().saturating_sub(MAX_TOLD);
    if more > 0 {
        let message = format!("{more} more have expired or expire soon");
        findings.push(Finding::warning(subject, message).advise("portcullis keys list"));
    }
    findings.push(in_all(subject, &ends, now));
    findings
}

fn ending(subject: &str, name: &str, end: UnixSeconds, now: UnixSeconds) -> Finding {
    let when = format!("{} ({})", relative(end, now), civil(end));
    let (verb, advice) = if end <= now {
        (
            "expired",
            format!("portcullis keys revoke {name}, or rotate"),
        )
    } else {
        ("expires", format!("portcullis keys rotate {name}"))
    };
    Finding::warning(subject, format!("the key of {name} {verb} {when}")).advise(advice)
}

fn in_all(subject: &str, ends: &Ends, now: UnixSeconds) -> Finding {
    let counts = |end: &&Option<UnixSeconds>| end.is_none_or(|end| now < end);
    match (ends.len(), ends.values().filter(counts).count()) {
        (0, _) => Finding::problem(subject, "holds no key: nobody may connect")
            .advise("portcullis keys add NAME"),
        (_, 0) => Finding::problem(subject, "every key has expired: nobody may connect")
            .advise("portcullis keys rotate NAME"),
        (all, good) => Finding::good(subject, format!("{good} of {all} callers have a key")),
    }
}
