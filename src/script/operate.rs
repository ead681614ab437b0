//! Operators.

use super::fault::Attempt;
use super::fault::Fault;
use super::limits;
use super::value::Items;
use super::value::Kind;
use super::value::Member;
use super::value::Names;
use super::value::Number;
use super::value::Set;
use super::value::Type;
use super::value::Value;
use super::value::difference;
use super::value::each_kind;
use super::value::float;
use super::value::number_key;
use super::value::pairs;
use super::value::union;
use quadrille_dsl::Binary;
use quadrille_dsl::Unary;
use std::sync::Arc;

/// `a operator b`.
pub(super) fn binary(operator: Binary, left: &Value, right: &Value, names: &dyn Names) -> Attempt<Value> {
    use Binary::*;
    if left.is_unknown() || right.is_unknown() {
        return Ok(Value::Unknown);
    }
    match (operator, left, right) {
        (Equal, ..) => Ok(Value::boolean(equal(left, right))),
        (Unequal, ..) => Ok(Value::boolean(!equal(left, right))),
        (And | Or, ..) => logic(operator, left, right),
        (Plus, Value::Text(text), _) => concatenate(text, right, names),
        (_, Value::Number(a), Value::Number(b)) => number(operator, *a, *b),
        (Plus | Minus, Value::Set(a), Value::Set(b)) => merge(operator, a, b),
        (Plus | Minus, Value::Set(a), _) => match Set::of_scalar(right) {
            Some(b) => merge(operator, a, &b),
            None => Err(unsupported(operator, left, right)),
        },
        (Plus | Minus, _, Value::Set(b)) => match Set::of_scalar(left) {
            Some(a) => merge(operator, &a, b),
            None => Err(unsupported(operator, left, right)),
        },
        (Times, Value::Set(a), Value::Set(b)) => product(a, b),
        (Power, Value::Set(a), Value::Number(n)) => power(a, *n),
        (Divide, Value::Set(a), Value::Number(n)) => divide(a, *n),
        (Modulo, Value::Set(a), Value::Number(n)) => modulo(a, *n),
        _ => Err(unsupported(operator, left, right)),
    }
}

fn unsupported(operator: Binary, left: &Value, right: &Value) -> Box<Fault> {
    let (a, b) = (left.type_name(), right.type_name());
    let sign = operator.sign();
    let fault = Fault::new("E0201", format!("`{sign}` cannot be used between a {a} and a {b}"));
    match (operator, left, right) {
        (Binary::Plus | Binary::Minus, Value::Vm(_) | Value::Node(_), Value::Vm(_) | Value::Node(_)) => {
            fault.help(format!("sets are written in braces: `{{a}} {sign} {{b}}`"))
        }
        (Binary::Plus, Value::Number(_), Value::Text(_)) => {
            fault.help("a text comes first where a number is to be appended to it: `\"\" + 1 + \"a\"`")
        }
        _ => fault,
    }
}

/// Equality never fails: what is of another type is different.
pub(super) fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => compare(*a, *b).is_eq(),
        (Value::Text(a), Value::Text(b)) => a == b,
        (Value::Vm(a), Value::Vm(b)) => a == b,
        (Value::Node(a), Value::Node(b)) => a == b,
        (Value::Set(a), Value::Set(b)) => a.equals(b),
        _ => false,
    }
}

fn compare(a: Number, b: Number) -> std::cmp::Ordering {
    match (a, b) {
        (Number::Integer(a, _), Number::Integer(b, _)) => a.cmp(&b),
        // No number here is NaN.
        _ => float(a).total_cmp(&(float(b) + 0.0)),
    }
}

/// Only 1 is true.
pub(super) fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Number(number) => Some(number_key(*number) == number_key(Number::Integer(1, 10))),
        _ => None,
    }
}

fn logic(operator: Binary, left: &Value, right: &Value) -> Attempt<Value> {
    match (truth(left), truth(right)) {
        (Some(a), Some(b)) => Ok(Value::boolean(if operator == Binary::And { a && b } else { a || b })),
        (a, _) => {
            let found = if a.is_none() { left } else { right };
            let sign = operator.sign();
            Err(Fault::new("E0206", format!("`{sign}` expects numbers, found a {}", found.type_name()))
                .help("1 is true, every other number is false; comparisons give 1 or 0"))
        }
    }
}

fn concatenate(text: &Arc<str>, right: &Value, names: &dyn Names) -> Attempt<Value> {
    let added = right.text(names);
    if text.len() + added.len() > limits::TEXT {
        return Err(Fault::new("E0612", format!("this text is longer than {} bytes", limits::TEXT)));
    }
    Ok(Value::Text([text.as_ref(), &added].concat().into()))
}

/// Arithmetic and comparisons of numbers.
fn number(operator: Binary, a: Number, b: Number) -> Attempt<Value> {
    use Binary::*;
    let order = compare(a, b);
    match operator {
        Less => return Ok(Value::boolean(order.is_lt())),
        AtMost => return Ok(Value::boolean(order.is_le())),
        Greater => return Ok(Value::boolean(order.is_gt())),
        AtLeast => return Ok(Value::boolean(order.is_ge())),
        _ => {}
    }
    if matches!(operator, Divide | Modulo) && float(b) == 0.0 {
        return Err(Fault::new("E0301", "division by zero"));
    }
    if operator == Power && float(b) <= 0.0 {
        return Err(Fault::new("E0303", "the exponent of `^` is more than 0"));
    }
    if let (Number::Integer(a, base), Number::Integer(b, _)) = (a, b) {
        let result = match operator {
            Plus => a.checked_add(b),
            Minus => a.checked_sub(b),
            Times => a.checked_mul(b),
            Divide => a.checked_div(b),
            Modulo => a.checked_rem(b),
            // A base of more than one overflows long before the exponent does.
            _ => match a {
                0 | 1 => Some(a),
                -1 => Some(if b % 2 == 0 { 1 } else { -1 }),
                _ => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
            },
        };
        return match result {
            Some(result) => Ok(Value::Number(Number::Integer(result, base))),
            None => Err(Fault::new(
                "E0302",
                format!("`{a} {} {b}` is not a whole number of 64 bits", operator.sign()),
            )),
        };
    }
    let (x, y) = (float(a), float(b));
    let result = match operator {
        Plus => x + y,
        Minus => x - y,
        Times => x * y,
        Divide => x / y,
        Modulo => x % y,
        _ => x.powf(y),
    };
    if result.is_finite() {
        // Zero has no sign here, so that equal numbers are equal as keys.
        Ok(Value::Number(Number::Float(result + 0.0)))
    } else {
        Err(Fault::new("E0302", format!("`{x:?} {} {y:?}` is not a number", operator.sign())))
    }
}

/// `-e`, `!e`, `#e`.
pub(super) fn unary(operator: Unary, value: &Value) -> Attempt<Value> {
    match (operator, value) {
        (_, Value::Unknown) => Ok(Value::Unknown),
        (Unary::Negate, Value::Number(Number::Integer(value, base))) => match value.checked_neg() {
            Some(negated) => Ok(Value::Number(Number::Integer(negated, *base))),
            None => Err(Fault::new("E0302", format!("`-({value})` is not a whole number of 64 bits"))),
        },
        (Unary::Negate, Value::Number(Number::Float(value))) => Ok(Value::Number(Number::Float(0.0 - value))),
        (Unary::Negate, _) => {
            Err(Fault::new("E0201", format!("`-` expects a number, found a {}", value.type_name())))
        }
        (Unary::Not, Value::Number(number)) => match truth(value) {
            Some(true) => Ok(Value::integer(0)),
            _ if float(*number) == 0.0 => Ok(Value::integer(1)),
            _ => Err(Fault::new("E0309", "`!` expects 0 or 1, found another number")),
        },
        (Unary::Not, _) => {
            Err(Fault::new("E0309", format!("`!` expects 0 or 1, found a {}", value.type_name())))
        }
        (Unary::Count, Value::Set(set)) => Ok(Value::integer(set.len() as i64)),
        (Unary::Count, _) => {
            Err(Fault::new("E0204", format!("`#` expects a set, found a {}", value.type_name())))
        }
    }
}

/// `A + B` and `A - B`.
fn merge(operator: Binary, a: &Set, b: &Set) -> Attempt<Value> {
    if !a.shape.fits(b.shape) {
        let (to, from) = (a.shape.name(), b.shape.name());
        return Err(match operator {
            Binary::Plus => Fault::new("E0201", format!("a {from} cannot be added to a {to}")),
            _ => Fault::new("E0201", format!("a {from} cannot be taken from a {to}")),
        });
    }
    let shape = if a.shape.kind.is_some() { a.shape } else { b.shape };
    if b.is_empty() {
        return Ok(Value::Set(if operator == Binary::Plus && a.is_empty() { b.clone() } else { a.clone() }));
    }
    if a.is_empty() {
        let set = if operator == Binary::Plus { b.clone() } else { a.clone() };
        return Ok(Value::Set(set));
    }
    fn apply<T: Member>(operator: Binary, a: &[T], b: &[T]) -> Items {
        T::items(if operator == Binary::Plus { union(a, b) } else { difference(a, b) })
    }
    let items = match (&a.items, &b.items) {
        (Items::Vms(a), Items::Vms(b)) => apply(operator, a, b),
        (Items::Nodes(a), Items::Nodes(b)) => apply(operator, a, b),
        (Items::Numbers(a), Items::Numbers(b)) => apply(operator, a, b),
        (Items::Texts(a), Items::Texts(b)) => apply(operator, a, b),
        (Items::Sets(a), Items::Sets(b)) => apply(operator, a, b),
        // Equal shapes have equal items.
        _ => Items::Empty,
    };
    sized(Set::new(items, shape))
}

/// Refuses sets that are too large.
pub(super) fn sized(set: Set) -> Attempt<Value> {
    if set.len() > limits::SET {
        return Err(Fault::new(
            "E0615",
            format!("this set has {} members; {} are the most", set.len(), limits::SET),
        ));
    }
    Ok(Value::Set(set))
}

fn deeper(shape: Type) -> Attempt<Type> {
    if shape.degree >= limits::DEGREE {
        return Err(Fault::new(
            "E0614",
            format!("sets lie within each other {} deep at most", limits::DEGREE),
        ));
    }
    Ok(Type { degree: shape.degree + 1, ..shape })
}

/// `A * B`.
fn product(a: &Set, b: &Set) -> Attempt<Value> {
    if !a.shape.fits(b.shape) {
        let (a, b) = (a.shape.name(), b.shape.name());
        return Err(Fault::new("E0201", format!("`*` expects sets of one type, found a {a} and a {b}")));
    }
    if b.is_empty() {
        return Ok(Value::Set(a.clone()));
    }
    let shape = deeper(b.shape)?;
    if a.is_empty() {
        return Ok(Value::Set(Set::new(Items::Empty, shape)));
    }
    bounded(a.len(), b.len())?;
    let member = b.shape;
    fn all<T: Member>(a: &[T], b: &[T], shape: Type) -> Items {
        let mut sets = Vec::new();
        pairs(a, b, |x, y| sets.push(Set::new(T::items(vec![x.clone(), y.clone()]), shape)));
        Items::Sets(sets.into())
    }
    let items = match (&a.items, &b.items) {
        (Items::Vms(a), Items::Vms(b)) => all(a, b, member),
        (Items::Nodes(a), Items::Nodes(b)) => all(a, b, member),
        (Items::Numbers(a), Items::Numbers(b)) => all(a, b, member),
        (Items::Texts(a), Items::Texts(b)) => all(a, b, member),
        (Items::Sets(a), Items::Sets(b)) => all(a, b, member),
        _ => Items::Empty,
    };
    Ok(Value::Set(Set::new(items, shape)))
}

fn bounded(a: usize, b: usize) -> Attempt<()> {
    match a.checked_mul(b) {
        Some(count) if count <= limits::PRODUCT => Ok(()),
        _ => Err(Fault::new(
            "E0605",
            format!("sets of {a} and {b} members have more than {} pairs", limits::PRODUCT),
        )),
    }
}

/// `A ^ 2`.
fn power(a: &Set, exponent: Number) -> Attempt<Value> {
    if number_key(exponent) != number_key(Number::Integer(2, 10)) {
        return Err(Fault::new("E0303", "a set has no power but `^ 2`, the ordered pairs of its members"));
    }
    bounded(a.len(), a.len())?;
    let (shape, member) = (deeper(a.shape)?, a.shape);
    fn all<T: Member>(members: &[T], shape: Type) -> Items {
        let mut sets = Vec::with_capacity(members.len() * members.len());
        for (i, x) in members.iter().enumerate() {
            for (j, y) in members.iter().enumerate() {
                if i != j {
                    sets.push(Set::new(T::items(vec![x.clone(), y.clone()]), shape));
                }
            }
        }
        Items::Sets(sets.into())
    }
    let items = each_kind!(&a.items, members => all(members, member), Items::Empty);
    Ok(Value::Set(Set::new(items, shape)))
}

/// `A / n`.
fn divide(a: &Set, divider: Number) -> Attempt<Value> {
    let Number::Integer(parts, _) = divider else {
        return Err(Fault::new("E0304", "a set is divided by a whole number, this is none"));
    };
    if parts == 0 {
        return Err(Fault::new("E0301", "division by zero"));
    }
    let count = a.len();
    match usize::try_from(parts) {
        Ok(parts) if parts <= count => chunks(a, count.div_ceil(parts)),
        Ok(_) => Err(Fault::new(
            "E0304",
            format!(
                "a set of {count} members cannot be divided into {parts}; `/` takes at most the number of members"
            ),
        )),
        Err(_) => Err(Fault::new("E0304", format!("a set cannot be divided into {parts}"))),
    }
}

/// `A % n`.
fn modulo(a: &Set, size: Number) -> Attempt<Value> {
    let Number::Integer(size, _) = size else {
        return Err(Fault::new("E0304", "subsets have a whole number of members, this is none"));
    };
    match usize::try_from(size) {
        Ok(size) if size > 0 => chunks(a, size),
        _ => Err(Fault::new("E0304", format!("a set cannot be cut into subsets of {size} members"))),
    }
}

/// Subsets of consecutive members.
fn chunks(a: &Set, size: usize) -> Attempt<Value> {
    let (shape, member) = (deeper(a.shape)?, a.shape);
    fn all<T: Member>(members: &[T], size: usize, shape: Type) -> Items {
        let sets: Arc<[Set]> =
            members.chunks(size).map(|chunk| Set::new(T::items(chunk.to_vec()), shape)).collect();
        Items::Sets(sets)
    }
    let items = each_kind!(&a.items, members => all(members, size, member), Items::Empty);
    Ok(Value::Set(Set::new(items, shape)))
}

/// `{a, b}`: members that are known, none of them twice; and one that came twice.
pub(super) fn literal(values: Vec<Value>) -> Attempt<(Set, Option<Value>)> {
    let Some(first) = values.first() else { return Ok((Set::empty(), None)) };
    // Empty sets take the type of the others.
    let shapes = || values.iter().filter_map(Value::shape);
    let shape = shapes().find(|shape| shape.kind.is_some()).or_else(|| first.shape());
    let shape = shape.unwrap_or(Type { kind: None, degree: 0 });
    if let Some(other) = shapes().find(|other| !(other.fits(shape) || *other == shape)) {
        let wanted = Type { degree: shape.degree + 1, ..shape };
        return Err(if other.kind == shape.kind {
            Fault::new(
                "E0203",
                format!(
                    "a {} cannot be a member of a {}; expected a {}",
                    other.name(),
                    wanted.name(),
                    shape.name()
                ),
            )
            .help("`+` joins sets: `VM[1..3] + {VM5}`")
        } else {
            Fault::new("E0202", format!("a {} cannot be a member of a {}", other.name(), wanted.name()))
        });
    }
    let outer = deeper(shape)?;
    fn gather<T: Member>(members: impl Iterator<Item = T>) -> (Items, Option<T>) {
        let (members, twice) = super::value::distinct(members.collect());
        (T::items(members), twice)
    }
    let values = values.into_iter();
    let (items, twice) = if shape.degree > 0 {
        let (items, twice) = gather(values.filter_map(|value| match value {
            Value::Set(set) => Some(set),
            _ => None,
        }));
        (items, twice.map(Value::Set))
    } else {
        match shape.kind {
            Some(Kind::Vm) => {
                let (items, twice) = gather(values.filter_map(|value| match value {
                    Value::Vm(vm) => Some(vm),
                    _ => None,
                }));
                (items, twice.map(Value::Vm))
            }
            Some(Kind::Node) => {
                let (items, twice) = gather(values.filter_map(|value| match value {
                    Value::Node(node) => Some(node),
                    _ => None,
                }));
                (items, twice.map(Value::Node))
            }
            Some(Kind::Number) => {
                let (items, twice) = gather(values.filter_map(|value| match value {
                    Value::Number(number) => Some(number),
                    _ => None,
                }));
                (items, twice.map(Value::Number))
            }
            Some(Kind::Text) => {
                let (items, twice) = gather(values.filter_map(|value| match value {
                    Value::Text(text) => Some(text),
                    _ => None,
                }));
                (items, twice.map(Value::Text))
            }
            None => (Items::Empty, None),
        }
    };
    let set = Set::new(items, outer);
    if set.len() > limits::SET {
        sized(set.clone())?;
    }
    Ok((set, twice))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::NodeId;
    use crate::model::VmId;
    use Binary::*;

    struct Plain;
    impl Names for Plain {
        fn vm_name(&self, _: VmId) -> &str {
            "foo.VM1"
        }
        fn node_name(&self, _: NodeId) -> &str {
            "n1"
        }
    }

    fn int(value: i64) -> Value {
        Value::integer(value)
    }

    fn real(value: f64) -> Value {
        Value::Number(Number::Float(value))
    }

    fn text(value: &str) -> Value {
        Value::Text(value.into())
    }

    fn vms(ids: impl IntoIterator<Item = u32>) -> Value {
        Value::Set(Set::of_vms(ids.into_iter().map(VmId).collect::<Vec<_>>()))
    }

    #[track_caller]
    fn set_of(value: Value) -> Set {
        match value {
            Value::Set(set) => set,
            other => panic!("{other:?} is no set"),
        }
    }

    fn numbers(values: &[i64]) -> Value {
        Value::Set(literal(values.iter().map(|&value| int(value)).collect()).expect("numbers").0)
    }

    #[track_caller]
    fn gives(operator: Binary, a: Value, b: Value) -> Value {
        binary(operator, &a, &b, &Plain).unwrap_or_else(|fault| panic!("{}", fault.message))
    }

    #[track_caller]
    fn fails(operator: Binary, a: Value, b: Value, code: &str) {
        match binary(operator, &a, &b, &Plain) {
            Err(fault) => assert_eq!(fault.code, code, "{}", fault.message),
            Ok(value) => panic!("{value:?}"),
        }
    }

    #[track_caller]
    fn is(value: Value, expected: &str) {
        assert_eq!(value.text(&Plain), expected);
    }

    #[test]
    fn whole_numbers() {
        is(gives(Divide, int(7), int(2)), "3");
        is(gives(Divide, int(-7), int(2)), "-3");
        is(gives(Modulo, int(7), int(4)), "3");
        is(gives(Power, int(2), int(10)), "1024");
        is(gives(Power, int(-1), int(i64::MAX)), "-1");
        is(gives(Plus, Value::Number(Number::Integer(16, 16)), int(1)), "11");
        fails(Plus, int(i64::MAX), int(1), "E0302");
        fails(Divide, int(i64::MIN), int(-1), "E0302");
        fails(Power, int(10), int(100), "E0302");
        fails(Power, int(2), int(0), "E0303");
        fails(Divide, int(1), int(0), "E0301");
        fails(Modulo, int(1), real(0.0), "E0301");
    }

    #[test]
    fn floats() {
        is(gives(Plus, int(1), real(0.5)), "1.5");
        is(gives(Equal, int(3), gives(Power, int(9), real(0.5))), "1");
        is(gives(Times, real(-0.0), int(1)), "0.0");
        is(gives(Less, real(1.5), int(2)), "1");
        is(gives(AtLeast, int(2), real(2.0)), "1");
        fails(Power, int(-2), real(0.5), "E0302");
        fails(Times, real(1e308), int(100), "E0302");
    }

    #[test]
    fn logic_is_about_one() {
        for (a, b, and, or) in
            [(0, 0, "0", "0"), (0, 1, "0", "1"), (1, 0, "0", "1"), (1, 1, "1", "1"), (1, 7, "0", "1")]
        {
            is(gives(And, int(a), int(b)), and);
            is(gives(Or, int(a), int(b)), or);
        }
        is(unary(Unary::Not, &int(0)).expect("0"), "1");
        is(unary(Unary::Not, &real(1.0)).expect("1"), "0");
        assert_eq!(unary(Unary::Not, &int(7)).expect_err("7").code, "E0309");
        assert_eq!(unary(Unary::Not, &text("a")).expect_err("a text").code, "E0309");
        fails(And, int(1), Value::Vm(VmId(0)), "E0206");
        fails(Or, text("a"), int(1), "E0206");
    }

    #[test]
    fn texts_take_anything_behind_them() {
        is(gives(Plus, gives(Plus, text("n"), int(5)), Value::Vm(VmId(0))), "n5foo.VM1");
        fails(Plus, int(5), text("n"), "E0201");
        fails(Minus, text("n"), text("n"), "E0201");
        fails(Less, text("a"), text("b"), "E0201");
        is(gives(Equal, text("a"), int(1)), "0");
        is(gives(Unequal, text("a"), int(1)), "1");
        fails(Plus, text(&"x".repeat(limits::TEXT)), text("x"), "E0612");
    }

    #[test]
    fn elements_are_equal_or_not() {
        is(gives(Equal, Value::Vm(VmId(1)), Value::Vm(VmId(1))), "1");
        is(gives(Equal, Value::Vm(VmId(1)), Value::Node(NodeId(1))), "0");
        fails(Greater, Value::Vm(VmId(1)), Value::Vm(VmId(2)), "E0201");
        fails(Plus, Value::Vm(VmId(1)), Value::Vm(VmId(2)), "E0201");
    }

    #[test]
    fn unions_and_differences() {
        let both = set_of(gives(Plus, vms([3, 1]), vms([1, 2])));
        assert!(matches!(&both.items, Items::Vms(vms) if **vms == [VmId(3), VmId(1), VmId(2)]));
        let large = set_of(gives(Plus, vms(0..100), vms(50..150)));
        assert_eq!(large.len(), 150);
        assert_eq!(set_of(gives(Minus, vms(0..100), vms(20..40))).len(), 80);
        // A scalar counts as the set of it, on both sides.
        assert_eq!(set_of(gives(Plus, vms([1]), Value::Vm(VmId(2)))).len(), 2);
        assert_eq!(set_of(gives(Plus, Value::Vm(VmId(2)), vms([1]))).len(), 2);
        assert_eq!(set_of(gives(Plus, vms([1]), Value::Set(Set::empty()))).shape.name(), "set<vm>");
        assert_eq!(set_of(gives(Plus, Value::Set(Set::empty()), vms([1]))).shape.name(), "set<vm>");
        assert_eq!(set_of(gives(Minus, vms([1]), vms([1]))).shape.name(), "set<vm>");
        fails(Plus, vms([1]), Value::Node(NodeId(1)), "E0201");
        fails(Plus, vms([1]), gives(Modulo, vms([1]), int(1)), "E0201");
        fails(Plus, gives(Modulo, vms([1]), int(1)), Value::Vm(VmId(1)), "E0201");
        is(gives(Plus, numbers(&[1, 2]), numbers(&[2, 3])), "{1, 2, 3}");
    }

    #[test]
    fn sets_of_sets_compare_by_content() {
        let sets = gives(Divide, vms(0..4), int(2));
        let same = gives(Plus, sets.clone(), gives(Divide, vms([1, 0, 3, 2]), int(2)));
        assert_eq!(set_of(same).len(), 2);
        is(gives(Equal, sets.clone(), gives(Divide, vms([3, 2, 1, 0]), int(2))), "1");
        is(gives(Equal, sets, vms(0..4)), "0");
    }

    #[test]
    fn products() {
        is(gives(Times, numbers(&[2, 3]), numbers(&[1, 3])), "{{2, 1}, {2, 3}, {3, 1}}");
        is(gives(Times, numbers(&[2, 3]), Value::Set(Set::empty())), "{2, 3}");
        assert_eq!(set_of(gives(Times, vms(0..10), vms(0..10))).len(), 45);
        fails(Times, vms(0..3000), vms(0..3000), "E0605");
        fails(Times, vms([1]), numbers(&[1]), "E0201");
        is(gives(Power, numbers(&[1, 2]), int(2)), "{{1, 2}, {2, 1}}");
        is(gives(Power, numbers(&[1, 2]), real(2.0)), "{{1, 2}, {2, 1}}");
        fails(Power, numbers(&[1, 2]), int(3), "E0303");
        fails(Power, vms(0..3000), int(2), "E0605");
    }

    #[test]
    fn parts() {
        let sizes = |value: Value| -> Vec<usize> {
            let members: Vec<Value> = set_of(value).members().collect();
            members.into_iter().map(|member| set_of(member).len()).collect()
        };
        assert_eq!(sizes(gives(Divide, vms(0..11), int(3))), [4, 4, 3]);
        assert_eq!(sizes(gives(Divide, vms(0..100), int(4))), [25; 4]);
        assert_eq!(sizes(gives(Divide, vms(0..9), int(4))), [3, 3, 3]);
        assert_eq!(sizes(gives(Modulo, vms(0..6), int(2))), [2, 2, 2]);
        assert_eq!(sizes(gives(Modulo, vms(0..100), int(33))), [33, 33, 33, 1]);
        fails(Divide, vms(0..3), int(4), "E0304");
        fails(Divide, vms(0..3), int(0), "E0301");
        fails(Divide, vms(0..3), int(-1), "E0304");
        fails(Divide, vms(0..3), real(1.5), "E0304");
        fails(Modulo, vms(0..3), int(0), "E0304");
        fails(Modulo, vms(0..3), real(2.0), "E0304");
        assert_eq!(unary(Unary::Count, &vms(0..3)).map(|value| value.text(&Plain)).expect("a set"), "3");
        assert_eq!(unary(Unary::Count, &int(3)).expect_err("a number").code, "E0204");
    }

    #[test]
    fn literals() {
        let code = |values: Vec<Value>| literal(values).map_or_else(|fault| fault.code, |_| "");
        assert_eq!(code(vec![int(1), text("a")]), "E0202");
        assert_eq!(code(vec![int(1), numbers(&[2])]), "E0203");
        assert_eq!(code(vec![numbers(&[2]), Value::Set(Set::empty())]), "");
        let (set, twice) = literal(vec![int(1), real(1.0), int(2)]).expect("numbers");
        assert_eq!((set.len(), twice.is_some()), (2, true));
        let mut deep = numbers(&[1]);
        for _ in 1..limits::DEGREE {
            deep = Value::Set(literal(vec![deep]).expect("not too deep").0);
        }
        assert_eq!(code(vec![deep]), "E0614");
    }

    #[test]
    fn what_is_unknown_stays_so() {
        assert!(gives(Plus, Value::Unknown, text("a")).is_unknown());
        assert!(unary(Unary::Count, &Value::Unknown).expect("nothing new").is_unknown());
    }
}
