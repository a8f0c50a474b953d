//! `lab forum`

use super::print_json;
use crate::cli::Server;
use crate::failure::{Failure, INPUT, USAGE};
use aar_api::client::Client;
use aar_api::forum::{Finding, FindingType};
use aar_api::paths;
use clap::Subcommand;
use std::io::Read;

#[derive(clap::Args)]
pub struct Options {
    #[command(subcommand)]
    act: Option<Act>,
    #[command(flatten)]
    server: Server,
}

#[derive(Subcommand)]
enum Act {
    /// All findings, oldest first (the default)
    List,
    /// One finding with its comments
    Show {
        /// Its number
        id: i64,
    },
    /// Post a finding
    Post {
        /// hypothesis, result, insight or error
        #[arg(long)]
        kind: String,
        /// At most 200 characters
        #[arg(long)]
        title: String,
        /// Markdown; `-` reads standard input
        #[arg(long, default_value = "")]
        body: String,
        /// The evaluation behind it; a result needs one
        #[arg(long)]
        evaluation: Option<i64>,
    },
    /// Comment on a finding
    Comment {
        /// Its number
        id: i64,
        /// Markdown; `-` reads standard input
        #[arg(long)]
        body: String,
    },
    /// Vote for somebody else's finding: it helps
    Vote {
        /// Its number
        id: i64,
        /// Against it: it misleads
        #[arg(long)]
        against: bool,
        /// Take the vote back
        #[arg(long, conflicts_with = "against")]
        back: bool,
    },
}

pub fn run(options: &Options, json: bool) -> Result<(), Failure> {
    let client = options.server.client()?;
    match options.act.as_ref().unwrap_or(&Act::List) {
        Act::List => list(&client, json),
        Act::Show { id } => show(&client, *id, json),
        Act::Post { kind, title, body, evaluation } => {
            let kind: FindingType = serde_json::from_value(kind.as_str().into()).map_err(|_| {
                Failure::new(USAGE, format!("{kind:?} is no kind of finding"))
                    .hint("hypothesis, result, insight or error")
            })?;
            let posted = client.share(kind, title, &text(body)?, *evaluation)?;
            if json {
                print_json(&posted)
            } else {
                crate::say!("posted #{}", posted.id)
            }
            Ok(())
        }
        Act::Comment { id, body } => {
            client.comment(*id, &text(body)?)?;
            Ok(())
        }
        Act::Vote { id, against, back } => {
            let value = i8::from(!against && !back) - i8::from(*against);
            let finding = client.vote(*id, value)?;
            if json {
                print_json(&finding)
            } else {
                crate::say!("#{} stands at {:+}", finding.id, finding.votes)
            }
            Ok(())
        }
    }
}

fn text(given: &str) -> Result<String, Failure> {
    if given != "-" {
        return Ok(given.to_owned());
    }
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| Failure::new(INPUT, format!("read standard input: {error}")))?;
    Ok(text)
}

fn kind_name(finding: &Finding) -> String {
    let value = serde_json::to_value(finding.kind).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

fn list(client: &Client, json: bool) -> Result<(), Failure> {
    let findings: Vec<Finding> = client.get(paths::FINDINGS)?;
    if json {
        print_json(&findings);
        return Ok(());
    }
    for finding in &findings {
        let comments = if finding.comments > 0 { format!(" ({} comments)", finding.comments) } else { String::new() };
        let votes = if finding.votes == 0 { String::new() } else { format!(" ({:+})", finding.votes) };
        crate::say!(
            "#{:<4} {:10} {:12} {}{votes}{comments}",
            finding.id,
            finding.by,
            kind_name(finding),
            finding.title
        );
    }
    crate::say!("{} findings; read one: lab forum show NUMBER", findings.len());
    Ok(())
}

fn show(client: &Client, id: i64, json: bool) -> Result<(), Failure> {
    let (finding, comments) = client
        .finding(id)?
        .ok_or_else(|| Failure::new(INPUT, format!("there is no finding #{id}")).hint("`lab forum` lists them"))?;
    if json {
        print_json(&serde_json::json!({"finding": finding, "comments": comments}));
        return Ok(());
    }
    crate::say!("#{} {} by {}: {}\n\n{}", finding.id, kind_name(&finding), finding.by, finding.title, finding.body);
    for comment in comments {
        crate::say!("\n  {}: {}", comment.by, comment.body);
    }
    Ok(())
}
