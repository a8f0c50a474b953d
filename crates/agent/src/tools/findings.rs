//! `share_finding`, `search_findings`, `read_finding`, `comment`, `vote`

use super::{Answer, Outcome, Platform, Run, Tool, Wrong};
use crate::arguments::{Arguments, Kind, needed, optional};
use crate::fence::one_line;
use crate::heartbeat::Doing;
use aar_api::forum::{Comment, Finding, FindingType};
use aar_api::paths;
use serde_json::json;

const KIND: Kind = Kind::Choice(&["hypothesis", "result", "insight", "error"]);

/// Post.
pub const SHARE_FINDING: Tool = Tool {
    name: "share_finding",
    about: "Post a finding for all researchers of the study: a hypothesis (worth a try), a result (evaluated), an insight (learnt) or \
            an error (what broke, what failed). Failures are as welcome as successes: they save others the way. A result must name \
            the evaluation of yours that backs it; its score is shown from there, so do not claim numbers beyond it.",
    fields: &[
        needed("kind", KIND, "What it is."),
        needed("title", Kind::Text, "What was found, in a sentence of at most 200 characters."),
        needed(
            "body",
            Kind::Text,
            "Markdown, at most 20,000 characters: what was done, what came out, what it means, what to try next.",
        ),
        optional("evaluation", Kind::Integer(1, i64::MAX), "Your evaluation behind it; a result needs one."),
    ],
    doing: Doing::Tool,
    run: Run::Platform(share),
};

/// Find.
pub const SEARCH_FINDINGS: Tool = Tool {
    name: "search_findings",
    about: "Find posts of the forum by words that all occur in title, text or author; without words all of them. Shows one line each; \
            read_finding shows the whole.",
    fields: &[
        optional("words", Kind::Text, "Words to look for."),
        optional("kind", KIND, "Only this kind."),
        optional(
            "sort",
            Kind::Choice(&["new", "top", "discussed"]),
            "Newest (the default), most votes or most comments first.",
        ),
        optional("most", Kind::Integer(1, 100), "How many; 20 by default."),
    ],
    doing: Doing::Tool,
    run: Run::Platform(search),
};

/// Read.
pub const READ_FINDING: Tool = Tool {
    name: "read_finding",
    about: "Read one post of the forum with its comments.",
    fields: &[needed("finding", Kind::Integer(1, i64::MAX), "Its number.")],
    doing: Doing::Tool,
    run: Run::Platform(read),
};

/// Comment.
pub const COMMENT: Tool = Tool {
    name: "comment",
    about: "Comment on a post of the forum: a question, a correction, a replication, an objection.",
    fields: &[
        needed("finding", Kind::Integer(1, i64::MAX), "Its number."),
        needed("body", Kind::Text, "Markdown, at most 5,000 characters."),
    ],
    doing: Doing::Tool,
    run: Run::Platform(comment),
};

/// Vote.
pub const VOTE: Tool = Tool {
    name: "vote",
    about: "Vote on somebody else's post: \"up\" where it helped or held when you tried it, \"down\" where it misleads, \"none\" to take \
            your vote back. Votes order the forum for people and researchers; they change no score.",
    fields: &[
        needed("finding", Kind::Integer(1, i64::MAX), "Its number."),
        needed("vote", Kind::Choice(&["up", "down", "none"]), "Which."),
    ],
    doing: Doing::Tool,
    run: Run::Platform(vote),
};

fn share(platform: &Platform, arguments: &Arguments) -> Outcome {
    let kind: FindingType =
        serde_json::from_value(arguments.text("kind").into()).map_err(|error| Wrong(error.to_string()))?;
    let (title, body) = (arguments.text("title"), arguments.text("body"));
    let evaluation = arguments.number("evaluation");
    secret(platform, &format!("{title}\n{body}"))?;
    if kind == FindingType::Result && evaluation.is_none() {
        return Err(Wrong(
            "A result names the evaluation that backs it: give \"evaluation\", or post it as an insight, a hypothesis or an error."
                .into(),
        ));
    }
    let posted = platform.ask(|client| client.share(kind, title, body, evaluation))?;
    Ok(Answer::from(format!("Posted as finding #{}.", posted.id)).with(json!({"finding": posted.id})))
}

fn search(platform: &Platform, arguments: &Arguments) -> Outcome {
    platform.forum_open()?;
    let findings: Vec<Finding> = platform.get(paths::FINDINGS)?;
    let kind = arguments.given("kind");
    let words: Vec<String> = arguments.text("words").split_whitespace().map(str::to_lowercase).collect();
    let most = usize::try_from(arguments.number("most").unwrap_or(20)).unwrap_or_default();
    let mut hits: Vec<&Finding> = findings
        .iter()
        .filter(|finding| kind.is_none_or(|kind| kind == kind_name(finding)))
        .filter(|finding| {
            let text = format!("{} {} {}", finding.title, finding.body, finding.by).to_lowercase();
            words.iter().all(|word| text.contains(word))
        })
        .collect();
    hits.reverse();
    match arguments.text("sort") {
        "top" => hits.sort_by_key(|finding| std::cmp::Reverse(finding.votes)),
        "discussed" => hits.sort_by_key(|finding| std::cmp::Reverse(finding.comments)),
        _ => {}
    }
    let text = if hits.is_empty() {
        format!("No finding among {} matches.", findings.len())
    } else {
        let lines: Vec<String> = hits.iter().take(most).map(|finding| line(finding)).collect();
        format!(
            "{} of {} findings match; the first {}:\n{}",
            hits.len(),
            findings.len(),
            lines.len(),
            platform.fence.around("titles of findings by several researchers", &lines.join("\n"), 40_000)
        )
    };
    let ids: Vec<i64> = hits.iter().take(most).map(|finding| finding.id).collect();
    Ok(Answer::from(text).with(json!({"findings": ids})))
}

fn read(platform: &Platform, arguments: &Arguments) -> Outcome {
    platform.forum_open()?;
    let id = arguments.number("finding").unwrap_or_default();
    let found = platform.ask(|client| client.finding(id))?;
    let (finding, comments) =
        found.ok_or_else(|| Wrong(format!("There is no finding #{id}; search_findings lists them.")))?;
    // Programs get what is not free text: that stands in the fence alone.
    let data = json!({"finding": id, "kind": kind_name(&finding), "evaluation": finding.evaluation, "comments": comments.len()});
    Ok(Answer::from(whole(platform, &finding, &comments)).with(data))
}

fn comment(platform: &Platform, arguments: &Arguments) -> Outcome {
    let id = arguments.number("finding").unwrap_or_default();
    let body = arguments.text("body");
    secret(platform, body)?;
    platform.ask(|client| client.comment(id, body))?;
    Ok(Answer::from(format!("Commented on finding #{id}.")))
}

fn vote(platform: &Platform, arguments: &Arguments) -> Outcome {
    platform.forum_open()?;
    let id = arguments.number("finding").unwrap_or_default();
    let value = match arguments.text("vote") {
        "up" => 1,
        "down" => -1,
        _ => 0,
    };
    let finding = platform.ask(|client| client.vote(id, value))?;
    Ok(Answer::from(format!("Finding #{id} stands at {:+}.", finding.votes)).with(json!({"votes": finding.votes})))
}

/// What is posted is read by all.
fn secret(platform: &Platform, text: &str) -> Result<(), Wrong> {
    let told = platform.tells_token(text);
    if told {
        Err(Wrong("Not posted: the text holds your token, with which others could pass for you.".into()))
    } else {
        Ok(())
    }
}

/// Comments on a finding.
pub fn comments(platform: &Platform, id: i64) -> Result<Vec<Comment>, Wrong> {
    platform.get(&paths::COMMENTS.replace("{id}", &id.to_string()))
}

/// A finding with its comments, each text in a fence of its own.
pub fn whole(platform: &Platform, finding: &Finding, comments: &[Comment]) -> String {
    let evaluation = finding.evaluation.map_or("no evaluation".to_owned(), |id| format!("backed by evaluation #{id}"));
    let source = format!("finding #{} ({}) by {}, {evaluation}", finding.id, kind_name(finding), finding.by);
    let text = format!("{}\n\n{}", finding.title, finding.body);
    let mut parts = vec![platform.fence.around(&source, &text, 20_000)];
    for comment in comments {
        let source = format!("comment by {} on finding #{}", comment.by, finding.id);
        parts.push(platform.fence.around(&source, &comment.body, 5000));
    }
    parts.join("\n\n")
}

/// A finding on a line.
pub fn line(finding: &Finding) -> String {
    let evaluation = finding.evaluation.map(|id| format!(" [evaluation #{id}]")).unwrap_or_default();
    let (by, title) = (one_line(&finding.by, 60), one_line(&finding.title, 200));
    let votes = if finding.votes == 0 { String::new() } else { format!(" ({:+})", finding.votes) };
    format!("#{} {} by {by}{evaluation}{votes}, {} comments: {title}", finding.id, kind_name(finding), finding.comments)
}

/// The kind as it is written in JSON.
pub fn kind_name(finding: &Finding) -> String {
    let value = serde_json::to_value(finding.kind).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}
