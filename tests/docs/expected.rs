//! Compares what a command printed with what a page says that it prints.

/// Tells whether `output` is what `expected` says: `…` in a line stands for anything in it, and a
/// line that is nothing else for any number of lines.
///
/// Blanks at the end of lines, and empty lines before and behind, do not count.
pub(crate) fn is_as_expected(expected: &str, output: &str) -> bool {
    lines_match(&lines(expected), &lines(output))
}

fn lines(text: &str) -> Vec<&str> {
    text.trim().lines().map(str::trim_end).collect()
}

fn lines_match(expected: &[&str], output: &[&str]) -> bool {
    match expected {
        [] => output.is_empty(),
        [pattern, rest @ ..] if pattern.trim() == "…" => {
            (0..=output.len()).any(|skipped| lines_match(rest, &output[skipped..]))
        }
        [pattern, rest @ ..] => match output {
            [line, lines @ ..] => line_matches(pattern, line) && lines_match(rest, lines),
            [] => false,
        },
    }
}

fn line_matches(pattern: &str, line: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('…') else {
        return pattern == line;
    };
    let Some(mut line) = line.strip_prefix(start) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('…').collect();
    let end = parts.pop().unwrap_or("");
    for part in parts {
        let Some(at) = line.find(part) else {
            return false;
        };
        line = &line[at + part.len()..];
    }
    line.ends_with(end)
}

#[test]
fn dots_stand_for_what_varies() {
    let check = |expected: &str, output: &str, same: bool| {
        assert_eq!(is_as_expected(expected, output), same, "{expected}");
    };
    check("a\nb\n", "a  \nb\n\n", true);
    check("a\nb\n", "a\n", false);
    check("a\n", "a\nb\n", false);
    check("HTTP/1.1 …\n", "HTTP/1.1 200 OK\r\n", true);
    check("a … c … e", "a b c d e", true);
    check("a … c … e", "a b d e", false);
    check("a…a", "a", false);
    check("a\n…\nz", "a\nz", true);
    check("a\n…\nz", "a\nb\nc\nz", true);
    check("a\n…\nz", "a\nb", false);
    check("…", "", true);
}
