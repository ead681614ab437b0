//! Plans, reports and conflicts for people and programs.
