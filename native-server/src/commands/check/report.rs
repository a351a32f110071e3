//! What was found, for people and for machines.

use serde_json::{Value, json};

use crate::terminal::Palette;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Level {
    Good,
    Warning,
    Problem,
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Section {
    Settings,
    Files,
    Online,
}

/// One thing that was looked at.
#[derive(Debug)]
pub(super) struct Finding {
    level: Level,
    /// A setting, a file or a URL; blank where it is none of them.
    subject: String,
    message: String,
    /// What to do next.
    advice: Option<String>,
}

impl Finding {
    pub(super) fn good(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Level::Good, subject.into(), message.into())
    }

    pub(super) fn warning(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Level::Warning, subject.into(), message.into())
    }

    pub(super) fn problem(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Level::Problem, subject.into(), message.into())
    }

    /// Adds what to do next.
    pub(super) fn advise(self, advice: impl Into<String>) -> Self {
        Self {
            advice: Some(advice.into()),
            ..self
        }
    }

    const fn new(level: Level, subject: String, message: String) -> Self {
        Self {
            level,
            subject,
            message,
            advice: None,
        }
    }
}

/// All that was looked at, in order.
#[derive(Debug, Default)]
pub(super) struct Report(Vec<(Section, Finding)>);

impl Report {
    pub(super) fn add(&mut self, section: Section, finding: Finding) {
        self.0.push((section, finding));
    }

    /// Tells whether there is no problem; warnings do not count.
    pub(super) fn is_good(&self) -> bool {
        self.count(Level::Problem) == 0
    }

    /// Writes it for people.
    pub(super) fn text(&self, palette: Palette) -> String {
        let mut text = String::new();
        for section in [Section::Settings, Section::Files, Section::Online] {
            let mut findings = self.0.iter().filter(|(of, _)| *of == section).peekable();
            if findings.peek().is_some() {
                text.push_str(&palette.heading(section.name()));
                text.push('\n');
            }
            for (_, finding) in findings {
                text.push_str(&finding.text(palette));
            }
        }
        text.push_str(&self.summary(palette));
        text
    }

    /// Writes it for machines.
    pub(super) fn json(&self) -> Value {
        let findings: Vec<Value> = self.0.iter().map(as_json).collect();
        json!({
            "ok": self.is_good(),
            "problems": self.count(Level::Problem),
            "warnings": self.count(Level::Warning),
            "findings": findings,
        })
    }

    fn count(&self, level: Level) -> usize {
        let findings = self.0.iter();
        findings
            .filter(|(_, finding)| finding.level == level)
            .count()
    }

    fn summary(&self, palette: Palette) -> String {
        let warnings = counted(self.count(Level::Warning), "warning");
        match self.count(Level::Problem) {
            0 => format!("\n{}, {warnings}\n", palette.good("no problem")),
            problems => {
                let problems = counted(problems, "problem");
                format!("\n{}, {warnings}\n", palette.bad(&problems))
            }
        }
    }
}

impl Section {
    const fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Files => "files",
            Self::Online => "online",
        }
    }
}

impl Level {
    const fn name(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

impl Finding {
    fn text(&self, palette: Palette) -> String {
        let level = format!("{:<8}", self.level.name());
        let level = match self.level {
            Level::Good => palette.good(&level),
            Level::Warning => palette.doubtful(&level),
            Level::Problem => palette.bad(&level),
        };
        let subject = if self.subject.is_empty() {
            String::new()
        } else {
            format!("{}: ", self.subject)
        };
        let mut text = format!("  {level} {subject}{}\n", self.message);
        if let Some(advice) = &self.advice {
            text.push_str(&format!("           -> {advice}\n"));
        }
        text
    }
}

fn as_json((section, finding): &(Section, Finding)) -> Value {
    json!({
        "section": section.name(),
        "level": finding.level.name(),
        "subject": finding.subject,
        "message": finding.message,
        "advice": finding.advice,
    })
}

fn counted(count: usize, noun: &str) -> String {
    match count {
        0 => format!("no {noun}s"),
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}
