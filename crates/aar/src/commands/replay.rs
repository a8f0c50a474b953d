//! `aar replay`: a researcher's conversation with its language model, as the gateway wrote it down.

use crate::failure::{Failure, INPUT};
use aar_gateway::transcript::{self, Exchange};
use aar_llm::conversation::{Block, Message, Request, Speaker};
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Options {
    /// The researcher
    name: String,
    /// The study's directory
    #[arg(long, default_value = "out/team")]
    out: PathBuf,
    /// Characters of a tool's result that are shown
    #[arg(long, default_value_t = 600)]
    most: usize,
    /// One JSON object per exchange: the whole request, the reply, the charge
    #[arg(long)]
    json: bool,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    let path = options.out.join(format!("transcripts/{}.jsonl", options.name));
    if !path.is_file() {
        let known = std::fs::read_dir(options.out.join("transcripts")).into_iter().flatten().flatten();
        let mut names: Vec<String> = known.filter_map(|file| stem(&file.path())).collect();
        names.sort();
        let hint = match names.as_slice() {
            [] => "only studies with language models have transcripts; --out names the study's directory".to_owned(),
            names => format!("there are {}", names.join(", ")),
        };
        return Err(Failure::new(INPUT, format!("{} is not there", path.display())).hint(hint));
    }
    let mut shown = Vec::new();
    for exchange in transcript::read(&path)? {
        if options.json {
            aar_lab::say!("{}", json(&exchange));
        } else {
            show(&exchange, &mut shown, options.most);
        }
    }
    Ok(())
}

fn stem(path: &std::path::Path) -> Option<String> {
    path.file_stem()?.to_str().map(str::to_owned)
}

fn json(exchange: &Exchange) -> String {
    let line = serde_json::json!({
        "call": exchange.call, "wire": exchange.wire, "request": exchange.body, "reply": exchange.reply,
        "charge": exchange.charge,
    });
    line.to_string()
}

/// What is new in an exchange: a conversation that goes on repeats itself in every request.
fn show(exchange: &Exchange, shown: &mut Vec<Message>, most: usize) {
    let Ok(Request { system, messages, .. }) = exchange.wire.format().read_request(&exchange.body) else {
        return aar_lab::say!("#{}: a request that can't be read", exchange.call);
    };
    let same = messages.iter().zip(shown.iter()).take_while(|(new, old)| new == old).count();
    if same == 0 {
        aar_lab::say!("\n══ a conversation begins ══\n\n{system}");
    }
    // What the model said is shown when it says it.
    for message in messages.iter().skip(same).filter(|message| message.speaker == Speaker::User) {
        message.blocks.iter().for_each(|block| show_block(block, most));
    }
    *shown = messages;
    let usage = exchange.charge.usage;
    aar_lab::say!(
        "\n── #{}: {} tokens read, {} of them from the cache, {} written, ${:.4}",
        exchange.call,
        usage.input + usage.cache_read + usage.cache_write,
        usage.cache_read,
        usage.output,
        exchange.charge.nano as f64 / 1e9
    );
    match &exchange.reply {
        Some(reply) => {
            reply.blocks.iter().for_each(|block| show_block(block, usize::MAX));
            shown.push(Message { speaker: Speaker::Assistant, blocks: reply.blocks.clone() });
        }
        None => aar_lab::say!("no whole answer came"),
    }
}

fn show_block(block: &Block, most: usize) {
    match block {
        Block::Text { text } => aar_lab::say!("{text}"),
        Block::Reasoning { .. } => aar_lab::say!("(reasoning, as its provider keeps it)"),
        Block::ToolCall { name, arguments, .. } => aar_lab::say!("▸ {name} {arguments}"),
        Block::ToolResult { text, is_error, .. } => {
            let mark = if *is_error { "✗" } else { "◂" };
            let head: String = text.chars().take(most).collect();
            let rest = if head.len() < text.len() { " …" } else { "" };
            aar_lab::say!("{mark} {head}{rest}");
        }
    }
}
