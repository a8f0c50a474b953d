//! Standard output and standard error of a program whose reader may leave.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether something could not be printed.
static CUT_SHORT: AtomicBool = AtomicBool::new(false);

/// Print a line to standard output. A reader that left (`| head`) is no error; a full disk is, see [`exit_code`].
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
        Err(error) if error.kind() != ErrorKind::BrokenPipe && !CUT_SHORT.swap(true, Ordering::Relaxed) => {
            note(format_args!("error: write standard output: {error}"));
        }
        _ => {}
    }
}

/// Behind [`note!`].
pub fn note(text: Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// What the program ends with that would end with `code`: a result cut short must not pass for a whole one.
pub fn exit_code(code: i32) -> i32 {
    if code == 0 && CUT_SHORT.load(Ordering::Relaxed) { crate::failure::IO } else { code }
}
