//! The rows through the component and through the native binary. Every group is one test.

use portcullis_tests::resource::visible_fields;
use portcullis_tests::{Gateway, Kind, Request};

use crate::groups::for_each_group;
use crate::host::{ComponentHost, Refused, has_one_host};
use crate::table::{Expect, Group, Observed, Row, Wanted, World};

/// Runs the rows of a group and reports all that failed.
fn run(group: fn(&World) -> Group) {
    let world = World::start();
    let Group { settings, rows } = group(&world);
    let upstream = world.resource.url();
    let native = Gateway::start(Kind::Native, &settings, &upstream);
    let mut host = ComponentHost::start(&settings, &upstream)
        .unwrap_or_else(|Refused(problem)| panic!("the settings are refused: {problem}"));
    let mut failures = Vec::new();
    for row in &rows {
        let Some(expect) = wanted(row) else {
            continue;
        };
        let problems = exchange(&world, &native, &mut host, &row.request, expect);
        if !problems.is_empty() {
            let problems = problems.join("\n  ");
            failures.push(format!("* {}\n  {:?}\n  {problems}", row.rule, row.request));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {} rows failed:\n{}",
        failures.len(),
        rows.len(),
        failures.join("\n")
    );
}

/// Returns what must come of a row, unless that is the business of the HTTP library below a
/// gateway, which is not there: whether bytes are a request, and which `Host` it is for.
fn wanted(row: &Row) -> Option<&Expect> {
    match &row.wanted {
        Wanted::Alike(expect) if !expect.is_codec() && has_one_host(&row.request) => Some(expect),
        Wanted::Alike(_) | Wanted::Apart { .. } => None,
    }
}

/// Sends a request to both and returns all that is wrong.
fn exchange(
    world: &World,
    native: &Gateway,
    host: &mut ComponentHost,
    request: &Request,
    expect: &Expect,
) -> Vec<String> {
    drop(world.resource.take());
    let native = Observed {
        response: native.send(request),
        seen: world.resource.take(),
    };
    let component = Observed {
        response: host.send(request),
        seen: world.resource.take(),
    };
    let mut problems = expect.check(request, &component);
    let mut compare = |what: &str, native: String, component: String| {
        if native != component {
            problems.push(format!(
                "{what} differ:\n    native    {native}\n    component {component}"
            ));
        }
    };
    let [n, c] = [&native, &component].map(|observed| parts(observed, expect));
    compare("statuses", n.status.to_string(), c.status.to_string());
    compare("fields", n.fields, c.fields);
    if !expect.is_probe() {
        compare("requests at the protected resource", n.seen, c.seen);
    }
    // What was passed on is echoed, with what the hosts themselves add to it.
    if native.seen.is_empty() || expect.is_probe() {
        compare("bodies", n.body, c.body);
    }
    problems
}

struct Parts {
    status: u16,
    fields: String,
    body: String,
    seen: String,
}

fn parts(observed: &Observed, expect: &Expect) -> Parts {
    let fields = observed.fields().into_iter();
    let mut fields: Vec<_> = fields.map(|field| expect.masked(field)).collect();
    fields.sort();
    let seen: Vec<String> = observed
        .seen
        .iter()
        .map(|incoming| {
            let mut fields = visible_fields(incoming);
            fields.retain(|(name, _)| !name.starts_with("x-forwarded-"));
            let body = incoming.body.escape_ascii();
            format!("{} {} {fields:?} {body}", incoming.method, incoming.target)
        })
        .collect();
    Parts {
        status: observed.response.status,
        fields: fields.join("\n"),
        body: expect.masked(observed.response.text()),
        seen: seen.join("\n"),
    }
}

/// Makes a test of every group.
macro_rules! through_component {
    ($($name:ident: $group:path,)*) => {
        $(
            #[test]
            fn $name() {
                run($group);
            }
        )*

        const GROUPS: &[fn(&World) -> Group] = &[$($group,)*];
    };
}

for_each_group!(through_component);

#[test]
fn nine_of_ten_rows_are_tried() {
    let world = World::start();
    let rows: Vec<Row> = GROUPS.iter().flat_map(|group| group(&world).rows).collect();
    let tried = rows.iter().filter(|row| wanted(row).is_some()).count();
    assert!(
        tried * 10 >= rows.len() * 9,
        "{tried} of {} rows",
        rows.len()
    );
}
