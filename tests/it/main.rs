//! Tests of the whole: the planner against brute force, properties, scenarios, files.

mod brute;
mod common;
mod oracle;
mod replay;
mod scenario_checker;
mod tampered;
mod timed;
