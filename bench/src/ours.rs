//! What our own hosts are measured with.

use crate::load::Requests;
use crate::world::{World, different, different_clients, same};

/// One of our hosts with a mode and what it is sent.
pub(crate) struct Row {
    /// A short name, unique.
    pub(crate) id: &'static str,
    /// What it is, for people.
    pub(crate) title: String,
    /// The mode.
    pub(crate) mode: &'static str,
    /// What it is sent.
    pub(crate) requests: Requests,
}

/// What both hosts are measured with.
pub(crate) fn ours(host: &str, world: &World) -> Vec<Row> {
    let again = |id, mode| (id, mode, "the same credential", same(world, mode));
    let rows = [
        again("none", "none"),
        again("api-key", "api-key"),
        again("jwt-warm", "jwt"),
        again("zscaler-warm", "zscaler"),
        (
            "jwt-session",
            "jwt",
            "the same credential, in a session",
            same(world, "jwt"),
        ),
        (
            "jwt-cold-rs256",
            "jwt",
            "each token new, RS256",
            different(&world.rs256),
        ),
        (
            "jwt-cold-es256",
            "jwt",
            "each token new, ES256",
            different(&world.es256),
        ),
        (
            "zscaler-cold",
            "zscaler",
            "each credential new",
            different_clients(),
        ),
    ];
    rows.into_iter()
        .map(|(id, mode, what, requests)| Row {
            id: format!("{host}-{id}").leak(),
            title: format!("{host}, {mode}, {what}"),
            mode,
            requests,
        })
        .collect()
}

/// What only the filter is measured with: algorithms that Envoy cannot check for it.
pub(crate) fn checked_in_the_vm(world: &World) -> [Row; 2] {
    let row = |id, name: &str, tokens: &[String]| Row {
        id,
        title: format!("filter, jwt, each token new, {name} (checked in the VM)"),
        mode: "jwt",
        requests: different(tokens),
    };
    [
        row("filter-jwt-cold-ps256", "PS256", &world.ps256),
        row("filter-jwt-cold-eddsa", "EdDSA", &world.eddsa),
    ]
}
