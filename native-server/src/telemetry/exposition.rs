//! The text format of Prometheus (version 0.0.4).

use std::fmt::{Display, Write as _};

use super::histogram::{BOUNDS, Histogram};

/// The media type of the format.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a family of metrics is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A page of metrics.
#[derive(Default)]
pub(crate) struct Page(String);

impl Page {
    /// Begins a family; its samples follow.
    pub(super) fn family<'a>(
        &'a mut self,
        name: &'static str,
        kind: Kind,
        help: &str,
    ) -> Family<'a> {
        let kind = kind.name();
        self.write(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        Family { page: self, name }
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.0.write_fmt(text);
    }

    fn labels(&mut self, labels: &[(&str, &str)]) {
        for (index, (name, value)) in labels.iter().enumerate() {
            self.0.push(if index == 0 { '{' } else { ',' });
            self.write(format_args!("{name}=\""));
            for letter in value.chars() {
                match letter {
                    '\\' => self.0.push_str("\\\\"),
                    '"' => self.0.push_str("\\\""),
                    '\n' => self.0.push_str("\\n"),
                    letter => self.0.push(letter),
                }
            }
            self.0.push('"');
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
    }
}

/// A family whose samples are being written.
pub(super) struct Family<'a> {
    page: &'a mut Page,
    name: &'static str,
}

impl Family<'_> {
    /// Writes one sample.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.page.0.push_str(self.name);
        self.page.labels(labels);
        self.page.write(format_args!(" {value}\n"));
    }

    /// Writes the only sample.
    pub(super) fn value(&mut self, value: impl Display) {
        self.sample(&[], value);
    }

    /// Writes a histogram of seconds.
    pub(super) fn times(&mut self, times: &Histogram) {
        let counts = times.counts();
        let (mut sum, name) = (0_u64, self.name);
        for (count, bound) in counts.iter().zip(BOUNDS) {
            sum = sum.saturating_add(*count);
            let bound = bound.as_secs_f64();
            self.page
                .write(format_args!("{name}_bucket{{le=\"{bound}\"}} {sum}\n"));
        }
        let total: u64 = counts.iter().sum();
        let seconds = times.sum().as_secs_f64();
        self.page.write(format_args!(
            "{name}_bucket{{le=\"+Inf\"}} {total}\n{name}_sum {seconds}\n{name}_count {total}\n"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn samples_follow_their_family_and_labels_are_escaped() {
        let mut page = Page::default();
        let mut family = page.family("a_total", Kind::Counter, "As.");
        family.sample(&[("x", "1"), ("y", "a\"b\\c\nd")], 7);
        family.value(8);
        assert_eq!(
            page.into_text(),
            "# HELP a_total As.\n# TYPE a_total counter\n\
             a_total{x=\"1\",y=\"a\\\"b\\\\c\\nd\"} 7\na_total 8\n"
        );
    }

    #[test]
    fn buckets_of_a_histogram_add_up() {
        let times = Histogram::default();
        for micros in [1, 3, 20_000_000] {
            times.note(Duration::from_micros(micros));
        }
        let mut page = Page::default();
        page.family("a_seconds", Kind::Histogram, "As.")
            .times(&times);
        let text = page.into_text();
        for line in [
            "a_seconds_bucket{le=\"0.000001\"} 1",
            "a_seconds_bucket{le=\"0.0000025\"} 1",
            "a_seconds_bucket{le=\"0.000005\"} 2",
            "a_seconds_bucket{le=\"10\"} 2",
            "a_seconds_bucket{le=\"+Inf\"} 3",
            "a_seconds_sum 20.000004",
            "a_seconds_count 3",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
