//! Standard output and standard error of a program whose reader may leave.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write};

/// Print a line to standard output. A reader that left (`| head`) is no error; a full disk ends the program, because a
/// result cut short must not pass for a whole one.
#[macro_export]
macro_rules! say {
    ($($part:tt)*) => { $crate::output::print(format_args!("{}\n", format_args!($($part)*))) };
}

/// Print a line to standard error, whether somebody reads it or not.
#[macro_export]
macro_rules! note {
    ($($part:tt)*) => { $crate::output::note(format_args!($($part)*)) };
}

/// Behind [`say!`].
pub fn print(text: Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    match out.write_fmt(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            note(format_args!("error: write standard output: {error}"));
            std::process::exit(crate::failure::IO);
        }
        _ => {}
    }
}

/// Behind [`note!`].
pub fn note(text: Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
