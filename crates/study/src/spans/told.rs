//! Sessions and calls of tools, as a researcher's process writes them into its own folder.

use aar_gateway::telemetry::{Kind, Span, count, place, text};
use aar_llm::trace::Place;
use aar_server::foreign;
use serde::Deserialize;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Bytes that are read at one look.
const AT_ONCE: u64 = 1 << 20;
/// Characters of a tool's name that are believed.
const NAME: usize = 64;

/// One line; other events say nothing of the course of the work.
#[derive(Deserialize)]
struct Line {
    at_ms: i64,
    #[serde(flatten)]
    event: Said,
}

#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Said {
    SessionBegan {
        session: u32,
    },
    SessionEnded {
        session: u32,
        answers: u64,
    },
    ToolCalled {
        session: u32,
        tool: String,
        ok: bool,
        ms: u64,
    },
    #[serde(other)]
    Else,
}

/// What one researcher writes, from where the reading stands.
pub struct Told {
    file: PathBuf,
    at: u64,
    /// The session that is open, and when it began.
    session: Option<(u32, i64)>,
}

impl Told {
    /// From the end of what is there now.
    pub fn new(workspace: &Path) -> Self {
        let file = workspace.join(".aar/events.jsonl");
        let at = foreign::open(&file).and_then(|file| file.metadata().ok()).map_or(0, |data| data.len());
        Self { file, at, session: None }
    }

    /// What came since, as spans below `researcher`'s.
    pub fn read(&mut self, name: &str, researcher: Place) -> Vec<Span> {
        let (mut spans, mut at) = (Vec::new(), self.at);
        for line in self.lines().unwrap_or_default().split_inclusive(|byte| *byte == b'\n') {
            if let Ok(Line { at_ms, event }) = serde_json::from_slice(line) {
                spans.extend(self.span(name, researcher, at, at_ms, event));
            }
            at += line.len() as u64;
        }
        spans
    }

    /// Whole lines. One that is longer than what is read at once is none.
    fn lines(&mut self) -> Option<Vec<u8>> {
        let mut file = foreign::open(&self.file)?;
        file.seek(SeekFrom::Start(self.at)).ok()?;
        let mut bytes = Vec::new();
        file.take(AT_ONCE).read_to_end(&mut bytes).ok()?;
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map(|end| end + 1);
        let end = end.or((bytes.len() as u64 == AT_ONCE).then_some(bytes.len()))?;
        bytes.truncate(end);
        self.at += end as u64;
        Some(bytes)
    }

    fn span(&mut self, name: &str, researcher: Place, at: u64, at_ms: i64, event: Said) -> Option<Span> {
        match event {
            Said::SessionBegan { session } => {
                // One that is begun while another is open was broken off.
                let broken = self.end(name, researcher, at_ms);
                self.session = Some((session, at_ms));
                broken
            }
            Said::SessionEnded { session, answers } => {
                let (_, began_ms) = self.session.take_if(|(open, _)| *open == session)?;
                let mut span = session_span(name, researcher, session, began_ms, at_ms);
                span.attributes.push(count("aar.answers", answers));
                Some(span)
            }
            Said::ToolCalled { session, tool, ok, ms } => {
                let tool: String = tool.chars().take(NAME).collect();
                Some(Span {
                    place: Place { span: place(name, &researcher.to_string(), &at.to_string()).span, ..researcher },
                    parent: Some(researcher.session(session).span),
                    name: format!("execute_tool {tool}"),
                    kind: Kind::Internal,
                    began_ms: at_ms.saturating_sub_unsigned(ms),
                    ended_ms: at_ms,
                    attributes: vec![
                        text("gen_ai.operation.name", "execute_tool"),
                        text("gen_ai.tool.name", &tool),
                        text("gen_ai.agent.name", name),
                    ],
                    error: (!ok).then(|| "tool_error".to_owned()),
                })
            }
            Said::Else => None,
        }
    }

    /// The process is gone: a session that it left open was broken off.
    pub fn end(&mut self, name: &str, researcher: Place, at_ms: i64) -> Option<Span> {
        let (session, began_ms) = self.session.take()?;
        Some(Span { error: Some("broken_off".into()), ..session_span(name, researcher, session, began_ms, at_ms) })
    }
}

fn session_span(name: &str, researcher: Place, session: u32, began_ms: i64, ended_ms: i64) -> Span {
    Span {
        place: researcher.session(session),
        parent: Some(researcher.span),
        name: format!("invoke_agent {name}"),
        kind: Kind::Internal,
        began_ms,
        ended_ms,
        attributes: vec![
            text("gen_ai.operation.name", "invoke_agent"),
            text("gen_ai.agent.name", name),
            text("gen_ai.conversation.id", &format!("{name}/{session}")),
        ],
        error: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn told(lines: &[&str]) -> (Vec<Span>, Told, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let mut told = Told::new(dir.path());
        std::fs::create_dir(dir.path().join(".aar")).unwrap();
        let mut file = std::fs::File::create(dir.path().join(".aar/events.jsonl")).unwrap();
        let mut spans = Vec::new();
        for line in lines {
            // In pieces, as a file grows.
            let (head, tail) = line.split_at(line.len() / 2);
            file.write_all(head.as_bytes()).unwrap();
            spans.extend(told.read("ada", ROOT));
            file.write_all(tail.as_bytes()).unwrap();
            spans.extend(told.read("ada", ROOT));
        }
        (spans, told, dir)
    }

    const ROOT: Place = Place { trace: 7, span: 100 };

    #[test]
    fn sessions_and_tools_become_spans_with_their_parents() {
        let (spans, mut told, _dir) = told(&[
            "{\"at_ms\":10,\"event\":\"session-began\",\"session\":1}\n",
            "{\"at_ms\":90,\"event\":\"tool-called\",\"session\":1,\"tool\":\"submit\",\"arguments\":\"{}\",\"ok\":false,\"result_chars\":3,\"ms\":40}\n",
            "not json\n{\"at_ms\":91,\"event\":\"nudged\",\"session\":1,\"why\":\"x\"}\n",
            "{\"at_ms\":95,\"event\":\"session-ended\",\"session\":1,\"why\":\"done\",\"answers\":4}\n",
            "{\"at_ms\":99,\"event\":\"session-began\",\"session\":2}\n",
        ]);
        let shown: Vec<_> =
            spans.iter().map(|span| (span.name.as_str(), span.parent, span.began_ms, span.ended_ms)).collect();
        assert_eq!(shown, [("execute_tool submit", Some(101), 50, 90), ("invoke_agent ada", Some(100), 10, 95)]);
        assert_eq!((spans[0].error.as_deref(), spans[1].place.span), (Some("tool_error"), 101));
        let left = told.end("ada", ROOT, 120).unwrap();
        assert_eq!((left.place.span, left.error.as_deref(), left.ended_ms), (102, Some("broken_off"), 120));
        assert!(told.end("ada", ROOT, 121).is_none());
    }

    #[test]
    fn a_file_without_lines_or_that_leads_elsewhere_says_nothing() {
        let (spans, mut told, dir) = told(&[]);
        assert!(spans.is_empty());
        std::fs::write(&told.file, vec![b'x'; AT_ONCE as usize + 5]).unwrap();
        assert!(told.read("ada", ROOT).is_empty());
        assert_eq!(told.at, AT_ONCE, "what is no line is passed over");
        let secret = dir.path().join("secret");
        std::fs::write(&secret, "{\"at_ms\":10,\"event\":\"session-began\",\"session\":1}\n").unwrap();
        std::fs::remove_file(&told.file).unwrap();
        std::os::unix::fs::symlink(&secret, &told.file).unwrap();
        told.at = 0;
        assert!(told.read("ada", ROOT).is_empty() && told.session.is_none());
    }
}
