//! Both gateways in front of one protected resource, and the comparison of what they do.

use portcullis_tests::{EchoResource, Gateway, Kind, Protocol, Request, Response, Settings};

use crate::table::{Expect, Observed, World};

/// Both gateways with the same settings.
pub(crate) struct Pair<'a> {
    gateways: [Gateway; 2],
    protocol: Protocol,
    resource: &'a EchoResource,
}

impl<'a> Pair<'a> {
    pub(crate) fn start(world: &'a World, settings: &Settings) -> Self {
        Self::start_for(world, settings, Protocol::Http1)
    }

    /// Starts both, to be spoken to in `protocol`.
    pub(crate) fn start_for(world: &'a World, settings: &Settings, protocol: Protocol) -> Self {
        let upstream = world.resource.url();
        Self {
            gateways: Kind::BOTH.map(|kind| Gateway::start(kind, settings, &upstream)),
            protocol,
            resource: &world.resource,
        }
    }

    /// Returns one of the two.
    pub(crate) fn gateway(&self, kind: Kind) -> &Gateway {
        let [envoy, native] = &self.gateways;
        match kind {
            Kind::Envoy => envoy,
            Kind::Native => native,
        }
    }

    /// Sends `request` to both, one after the other, and checks both and that they agree.
    ///
    /// # Errors
    ///
    /// The error lists all that is wrong.
    pub(crate) fn exchange(
        &self,
        request: &Request,
        expect: &Expect,
    ) -> Result<Response, Vec<String>> {
        let (all, mut problems) = self.observe(request, [expect, expect]);
        if let [envoy, native] = all.as_slice() {
            problems.extend(differences(envoy, native, expect));
        }
        match (problems.is_empty(), all.into_iter().next()) {
            (true, Some(observed)) => Ok(observed.response),
            _ => Err(problems),
        }
    }

    /// Sends `request` to both and checks each for itself, Envoy first.
    ///
    /// # Errors
    ///
    /// The error lists all that is wrong.
    pub(crate) fn exchange_apart(
        &self,
        request: &Request,
        expect: [&Expect; 2],
    ) -> Result<(), Vec<String>> {
        let (_, problems) = self.observe(request, expect);
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }

    fn observe(&self, request: &Request, expect: [&Expect; 2]) -> (Vec<Observed>, Vec<String>) {
        drop(self.resource.take());
        let mut problems = Vec::new();
        let mut all = Vec::new();
        for (gateway, expect) in self.gateways.iter().zip(expect) {
            match request.send_by(self.protocol, gateway.address()) {
                Ok(response) => {
                    let observed = Observed {
                        response,
                        seen: self.resource.take(),
                    };
                    let found = expect.check(request, &observed);
                    if !found.is_empty() {
                        let what = format!("{:?}: {}", gateway.kind(), found.join("; "));
                        problems.push(format!("{what}\n    {}", observed.show()));
                    }
                    all.push(observed);
                }
                Err(error) => problems.push(format!("{:?}: no answer: {error}", gateway.kind())),
            }
        }
        (all, problems)
    }

    /// Sends `request` to both; the test fails unless both do as expected and agree.
    #[track_caller]
    pub(crate) fn must(&self, request: &Request, expect: &Expect) -> Response {
        self.exchange(request, expect)
            .unwrap_or_else(|problems| panic!("{request:?}\n  {}", problems.join("\n  ")))
    }
}

fn differences(envoy: &Observed, native: &Observed, expect: &Expect) -> Vec<String> {
    let mut differences = Vec::new();
    let mut compare = |what: &str, envoy: String, native: String| {
        if envoy != native {
            differences.push(format!(
                "{what} differ:\n    Envoy  {envoy}\n    native {native}"
            ));
        }
    };
    // A message that is no HTTP is refused below the engine, in words of the HTTP library.
    if !expect.is_codec() {
        let [e, n] = [envoy, native].map(|observed| &observed.response);
        let shown = |observed: &Observed| {
            let fields = observed.fields().into_iter();
            let mut fields: Vec<_> = fields.map(|field| expect.masked(field)).collect();
            fields.sort();
            fields.join("\n           ")
        };
        compare("statuses", e.status.to_string(), n.status.to_string());
        compare("fields", shown(envoy), shown(native));
        compare("bodies", expect.masked(e.text()), expect.masked(n.text()));
    }
    // Each gateway remembers for a moment what its own probe saw.
    if !expect.is_probe() {
        compare(
            "requests at the protected resource",
            envoy.requests(),
            native.requests(),
        );
    }
    differences
}
