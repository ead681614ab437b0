//! What a constraint is called and takes: the only source for formats and manual.

use super::Argument;
use super::Kind;
use super::Restriction;
use super::SideConstraint;
use std::sync::Arc;

/// The restrictions that a constraint allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restrictions {
    /// Discrete only.
    Discrete,
    /// Continuous only.
    Continuous,
    /// Both; this one where nothing is said.
    Both(Restriction),
}

impl Restrictions {
    /// Where nothing is said.
    pub fn default(self) -> Restriction {
        match self {
            Restrictions::Discrete => Restriction::Discrete,
            Restrictions::Continuous => Restriction::Continuous,
            Restrictions::Both(default) => default,
        }
    }

    /// Is it allowed?
    pub fn allows(self, restriction: Restriction) -> bool {
        matches!(self, Restrictions::Both(_)) || self.default() == restriction
    }
}

/// How BtrPlace files treat the key `continuous` of a constraint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BtrPlaceFlag {
    /// A required boolean; always written.
    Required,
    /// Ignored on read, not written.
    Absent,
    /// Ignored on read, written as `false`.
    WrittenFalse,
}

/// A parameter of a constraint.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name in our files.
    pub name: &'static str,
    /// Its name in BtrPlace files.
    pub btrplace: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// The value where none is given; `None` where one is required.
    pub default: Option<fn() -> Argument>,
}

/// What a constraint is called and takes.
#[derive(Debug)]
pub struct Signature {
    /// Its name in our files.
    pub name: &'static str,
    /// Its `id` in BtrPlace files; `None` where BtrPlace lacks it.
    pub btrplace: Option<&'static str>,
    /// How BtrPlace files treat `continuous`.
    pub btrplace_flag: BtrPlaceFlag,
    /// Its parameters, in order.
    pub parameters: fn() -> Vec<Parameter>,
    /// The restrictions that it allows.
    pub restrictions: Restrictions,
    /// May it be had at a price?
    pub may_be_soft: bool,
    /// The source file, whose `//!` lines are the manual page.
    pub source: &'static str,
    /// Builds the rule from one argument for each parameter.
    pub build: Build,
}

/// From one argument for each parameter to the rule; the error says what does not fit.
pub type Build = fn(&[Argument]) -> Result<Arc<dyn SideConstraint>, String>;

/// A rule that can say its name and arguments; `side_constraint!` writes it.
pub trait Described {
    /// The signature.
    fn signature(&self) -> &'static Signature;
    /// The arguments, one for each parameter.
    fn arguments(&self) -> Vec<Argument>;
}

/// Declares the arguments and the signature of a constraint.
///
/// ```text
/// side_constraint! {
///     /// What it is.
///     pub struct Ft { nodes("nodes"): NodeSet, mode("mode" in ["restart", "slots"]): String = || … }
///     name = "ft", btrplace = None, flag = Absent, restrictions = Restrictions::Discrete, soft = true,
///     source = include_str!("ft.rs");
///     check = |rule| Ok(());
/// }
/// ```
/// The words in brackets after a field are its name in BtrPlace files. `check`
/// refuses arguments that are each of the right kind but wrong together.
#[macro_export]
macro_rules! side_constraint {
    (
        $(#[$doc:meta])*
        pub struct $type:ident {
            $( $(#[$field_doc:meta])* $field:ident($btr:literal $(in $choices:tt)?) : $ty:ty $(= $default:expr)? ),* $(,)?
        }
        name = $name:literal, btrplace = $btrplace:expr, flag = $flag:ident,
        restrictions = $restrictions:expr, soft = $soft:literal, source = $source:expr;
        check = $check:expr;
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $type {
            $( $(#[$field_doc])* pub $field: $ty ),*
        }

        impl $type {
            /// Name, parameters, restrictions, manual page.
            pub const SIGNATURE: $crate::constraint::Signature = $crate::constraint::Signature {
                name: $name,
                btrplace: $btrplace,
                btrplace_flag: $crate::constraint::BtrPlaceFlag::$flag,
                parameters: || vec![$( $crate::constraint::Parameter {
                    name: stringify!($field),
                    btrplace: $btr,
                    kind: <$ty as $crate::constraint::Param>::kind(
                        $crate::side_constraint!(@choices $($choices)?)
                    ),
                    default: $crate::side_constraint!(@default $($default)?),
                } ),*],
                restrictions: $restrictions,
                may_be_soft: $soft,
                source: $source,
                build: |arguments| {
                    let mut arguments = arguments.iter();
                    let rule = $type {
                        $( $field: arguments
                            .next()
                            .and_then(<$ty as $crate::constraint::Param>::from_argument)
                            .ok_or_else(|| format!("`{}` is missing or of the wrong kind", stringify!($field)))? ),*
                    };
                    let check: fn(&$type) -> Result<(), String> = $check;
                    check(&rule)?;
                    Ok(std::sync::Arc::new(rule))
                },
            };
        }

        impl $crate::constraint::Described for $type {
            fn signature(&self) -> &'static $crate::constraint::Signature {
                static SIGNATURE: $crate::constraint::Signature = $type::SIGNATURE;
                &SIGNATURE
            }
            fn arguments(&self) -> Vec<$crate::constraint::Argument> {
                vec![$( $crate::constraint::Param::to_argument(&self.$field) ),*]
            }
        }
    };
    (@choices) => { &[] };
    (@choices $choices:tt) => { &$choices };
    (@default) => { None };
    (@default $default:expr) => { Some($default) };
}
