//! An endpoint to try an agent against: calls the first tool that is offered once, then says what it answered.
//! `cargo run -p aar-scripted --example serve`; the key is `scripted`; ends with its standard input.

use aar_llm::conversation::Block;
use aar_scripted::action::Action;
use aar_scripted::endpoint::Endpoint;
use serde_json::json;
use std::io::Read;

fn main() -> std::io::Result<()> {
    let endpoint = Endpoint::start("scripted", |request, _| {
        let last = request.messages.last().and_then(|message| message.blocks.last());
        match (last, request.tools.first()) {
            (Some(Block::ToolResult { text, .. }), _) => Action::say(&format!("The tool answered: {text}")),
            (_, Some(tool)) => Action::call("call_1", &tool.name, json!({"command": "ls"})),
            (_, None) => Action::say("There is no tool to call."),
        }
    })?;
    println!("{}", endpoint.url());
    std::io::stdin().read_to_end(&mut Vec::new())?;
    println!("billed {:?} for {} calls", endpoint.billed(), endpoint.asked().len());
    Ok(())
}
