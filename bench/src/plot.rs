//! Draws the report's plot.

use std::fmt::Write as _;

use crate::contender::Contender;
use crate::results::Results;
use crate::statistics::Spread;

const WIDTH: f64 = 960.0;
const LABELS: f64 = 380.0;
const BAR: f64 = 16.0;
const STEP: f64 = 22.0;
const HEAD: f64 = 34.0;
/// Room for the number behind the longest bar.
const NUMBERS: f64 = 60.0;

/// Draws processor time for one request: one panel for credentials that come again, one for
/// credentials that are all new, each on its own scale.
pub(crate) fn svg(results: &Results) -> String {
    let is_new = |contender: &&Contender| {
        contender.title.contains("new") || contender.title.contains("uncached")
    };
    let all = &results.contenders;
    let again: Vec<&Contender> = all.iter().filter(|own| !is_new(own)).collect();
    let new: Vec<&Contender> = all.iter().filter(is_new).collect();
    let mut body = String::new();
    let mut y = 10.0;
    for (title, contenders) in [
        (
            "CPU for one request, in microseconds: the same credential again",
            again,
        ),
        (
            "CPU for one request, in microseconds: every credential new, or checked each time",
            new,
        ),
    ] {
        y = panel(&mut body, y, title, &contenders);
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {y}\" \
         font-family=\"sans-serif\" font-size=\"12\" role=\"img\" \
         aria-label=\"Processor time for one request by gateway\">\n\
         <rect width=\"{WIDTH}\" height=\"{y}\" fill=\"#ffffff\"/>\n{body}</svg>\n"
    )
}

/// Draws one panel from `y` on and returns where it ends.
fn panel(body: &mut String, y: f64, title: &str, contenders: &[&Contender]) -> f64 {
    let cost = |own: &Contender| Spread::of(own.values(|sample| sample.processor));
    let most = contenders
        .iter()
        .filter_map(|own| cost(own).map(|cost| cost.greatest))
        .fold(1.0, f64::max);
    let scale = (WIDTH - LABELS - NUMBERS) / most;
    let _ = writeln!(
        body,
        "<text x=\"10\" y=\"{}\" font-size=\"14\" font-weight=\"bold\" fill=\"#222222\">{title}</text>",
        y + 16.0
    );
    let mut y = y + HEAD;
    for own in contenders {
        let Some(cost) = cost(own) else { continue };
        let middle = y + BAR / 2.0;
        let at = |value: f64| LABELS + value * scale;
        let spread = format!("M{:.1} {middle}H{:.1}", at(cost.least), at(cost.greatest));
        let _ = writeln!(
            body,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"#222222\">{}</text>\n\
             <rect x=\"{LABELS}\" y=\"{y}\" width=\"{:.1}\" height=\"{BAR}\" fill=\"{}\"/>\n\
             <path d=\"{spread}\" stroke=\"#ffffff\" stroke-width=\"4\"/>\n\
             <path d=\"{spread}\" stroke=\"#222222\"/>\n\
             <text x=\"{:.1}\" y=\"{}\" fill=\"#222222\">{:.1}</text>",
            LABELS - 8.0,
            y + 12.0,
            shown(&own.title),
            cost.median * scale,
            colour(own.id),
            at(cost.greatest) + 6.0,
            y + 12.0,
            cost.median,
        );
        y += STEP;
    }
    y + 12.0
}

/// Leaves out what the report explains.
fn shown(title: &str) -> &str {
    title.split(" (").next().unwrap_or(title)
}

fn colour(id: &str) -> &'static str {
    match id.split('-').next() {
        Some("filter") => "#1f6fb2",
        Some("native") => "#2e9e6b",
        Some("envoy") => "#b0b7bf",
        _ => "#d9a441",
    }
}
