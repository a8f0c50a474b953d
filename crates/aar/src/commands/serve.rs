//! `aar serve`: a study that stays open until its operator closes it, for people and agents who bring their own machine.

use crate::commands::run;
use crate::failure::Failure;

#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    run: run::Options,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    run::study(&options.run, true)
}
