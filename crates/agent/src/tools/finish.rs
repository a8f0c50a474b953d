//! `finish_session`

use super::{Bench, Outcome, Run, Tool};
use crate::arguments::{Arguments, Kind, needed};
use crate::heartbeat::Doing;

/// End the session.
pub const FINISH_SESSION: Tool = Tool {
    name: "finish_session",
    about: "End this session and begin a fresh one with an empty conversation, when a line of work is done or the conversation has \
            become long and stale. The notebook, your files and background jobs stay; the next session begins by reading the notebook \
            and your note.",
    fields: &[needed("note", Kind::Text, "For your next session: where things stand and what to do first.")],
    doing: Doing::Tool,
    run: Run::Local(run),
};

fn run(bench: &mut Bench, arguments: &Arguments) -> Outcome {
    bench.finished = Some(arguments.text("note").to_owned());
    Ok("The session ends here.".to_owned().into())
}
