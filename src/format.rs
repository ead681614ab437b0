//! Reading and writing instances and plans.
