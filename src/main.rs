//! The command `quadrille`: plans the reconfiguration of clusters of virtual machines.
//!
//! Results go to standard output, progress and notes to standard error. The exit
//! code says what happened; see `quadrille --help`.

mod cli;

fn main() -> ! {
    // Leaving this way skips the destructors of instances with a million parts.
    std::process::exit(cli::run(std::env::args_os()))
}
