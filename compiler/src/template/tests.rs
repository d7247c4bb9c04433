use super::*;
use flow_grammar::liquid::parse_template;
use flow_grammar::span::FileId;

/// A shop's user, trigger, and products.
fn provided() -> Provided {
    let text = |optional| Variable::maybe(Shape::Text, optional);
    let user = [
        ("first_name", text(true)),
        ("email", text(false)),
        ("country", Variable::maybe(Shape::OneOf(["IT".to_owned(), "ES".to_owned()].into()), true)),
        ("points", Variable::known(Shape::Int)),
        ("birthday", Variable::maybe(Shape::Moment, true)),
    ];
    let product = [("name", text(false)), ("price", Variable::known(Shape::Number)), ("note", text(true))];
    let named = |fields: &[(&str, Variable)]| {
        fields.iter().map(|(name, v)| ((*name).to_owned(), v.clone())).collect::<Vec<_>>().into_iter()
    };
    let product = Shape::record("product", named(&product));
    let variables = [
        (
            "trigger",
            Variable::known(Shape::record("trigger", named(&[("cart_value", Variable::known(Shape::Number))]))),
        ),
        ("products", Variable::known(Shape::list(product))),
        ("tags", Variable::maybe(Shape::list(Shape::Text), true)),
        ("code", text(false)),
    ];
    let everywhere =
        [("user", Variable::known(Shape::record("user", named(&user)))), ("now", Variable::known(Shape::Moment))];
    Provided {
        variables: named(&variables).collect(),
        everywhere: named(&everywhere).collect(),
        spelled: [("first_name".to_owned(), "user.first_name".to_owned())].into(),
    }
}

fn findings(text: &str) -> String {
    let parse = parse_template(FileId(0), text);
    assert_eq!(parse.errors, [], "{text}");
    let card_text = "{{ product.name }}{{ product.nmae }}{{ code }}{{ user.email }}{{ forloop.index }}";
    let card = parse_template(FileId(1), card_text).template;
    let loose = parse_template(FileId(2), "{{ x }}{{ forloop.index }}").template;
    let parts = Parts::from([("card".to_owned(), &card), ("loose".to_owned(), &loose)]);
    let show = |found: &Diagnostic| {
        let source = [text, card_text, "{{ x }}{{ forloop.index }}"][found.span.file.0 as usize];
        let help = found.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
        format!("{} `{}`: {}{help}", found.code, found.span.text(source), found.message)
    };
    check(&parse.template, &parts, &provided()).iter().map(show).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_right_is_left_alone() {
    for text in [
        "{{ user.email }} {{ user.first_name | default: 'there' | upcase }} {{ code }} {{ now | date: '%d' }}",
        "{% if user.first_name %}{{ user.first_name }}{% endif %}",
        "{% if user.first_name != blank and user.points > 3 %}{{ user.first_name }}{% else %}x{% endif %}",
        "{% unless user.first_name == nil %}{{ user.first_name }}{% endunless %}",
        "{% if user.first_name == blank %}x{% elsif user.points > 1 %}{{ user.first_name }}{% else %}{{ user.first_name }}{% endif %}",
        "{% if user.first_name == nil or user.birthday == nil %}x{% else %}{{ user.first_name }}{{ user.birthday }}{% endif %}",
        "{% case user.country %}{% when 'IT' %}{{ user.country }}{% when 'ES' %}{% else %}{% endcase %}",
        "{% for p in products limit: 3 %}{{ forloop.index }}{{ p.name }}{{ p.price | times: 2 | fixed: 2 }}{% if p.note %}{{ p.note }}{% endif %}{% endfor %}",
        "{% assign n = user.first_name | default: 'you' %}{{ n }}{% assign total = 0 %}{% for p in products %}{% assign total = total | plus: p.price %}{% endfor %}{{ total }}",
        "{% capture c %}{{ code }}{% endcapture %}{{ c | strip }}{% increment k %}{{ k }}",
        "{% if products.size > 0 %}{{ products[0].name }}{{ products.first.price }}{{ products.last.name }}{% endif %}",
        "{% if products != blank %}{{ products.first.name }}{% endif %}",
        "{{ products | map: 'name' | join: ', ' }}{{ products | where: 'name', 'x' | size }}{{ products | sum: 'price' }}",
        "{% for t in tags %}{{ t }}{% else %}none{% endfor %}{{ tags | size }}",
        "{{ products | sort: 'price' | first | json }}{% if trigger.cart_value >= 59.90 %}x{% endif %}",
        "{% assign first = products | first %}{% if first %}{{ first.name }}{% endif %}",
        "{% if user.points == 1 %}{% assign w = 'point' %}{% else %}{% assign w = 'points' %}{% endif %}{{ w }}",
        "{{ user.first_name | append: '!' | default: 'x' }}{{ 10 | divided_by: 3 }}{{ user.birthday | date: '%d' | default: '-' }}",
        "{% if tags contains 'vip' %}{% endif %}{% if user.email contains '@' %}{% endif %}",
        "---\nsubject: {{ user.first_name | default: 'Hi' }}\npreheader: {{ code }}\n---\n{{ code }}",
        "{% liquid\nassign a = code\necho a %}{{ 'x,y' | split: ',' | last | default: '' }}",
    ] {
        assert_eq!(findings(text), "", "{text}");
    }
}

#[test]
fn what_is_wrong_is_said_at_its_place() {
    let texts = [
        "Hi {{ user.first_name }},",
        "{{ user.frist_name | default: 'x' }}{{ usr.email }}{{ first_name }}{{ coupon }}",
        "{{ products | upcase }}{{ code | times: 2 }}{{ code | join }}{{ user.points | plus: '4' }}{{ true | date: '%Y' }}",
        "{{ code | upcas }}{{ code | money }}{{ code | append }}{{ code | default: 1, allow_fals: true }}",
        "{% if user.points == '3' %}{% endif %}{% if code > 3 %}{% endif %}{% if user.birthday > '2026-01-01' %}{% endif %}",
        "{% if user.country == 'TI' %}{% endif %}{% case user.country %}{% when 'FR' %}{% when 3 %}{% endcase %}",
        "{% if user.points contains 3 %}{% endif %}{% if tags contains 3 %}{% endif %}{% if products > products %}{% endif %}",
        "{{ products[0].name }}{{ products.first.nmae }}{{ products.name }}{{ code.x }}{{ user }}",
        "{% for x in code %}{{ x.y }}{% endfor %}{% for x in products limit: 'a' %}{{ x.note }}{% endfor %}{{ x }}",
        "{% if user.first_name or user.points %}{{ user.first_name }}{% endif %}",
        "{% if user.first_name %}{% endif %}{{ user.first_name }}",
        "{% if code %}{% assign z = 'a' %}{% endif %}{{ z }}",
        "{% assign n = user.first_name %}{{ n | upcase }}{{ n | append: user.first_name | default: 'x' }}",
        "{{ code | divided_by: 2 }}{{ user.points | divided_by: user.points }}",
        "{% render 'crad' %}{% render 'nothing_like_it' %}{{ forloop.index }}",
        "{% render 'card', product: products.first %}",
        "{% render 'loose' for products as x %}{% render 'loose', x: user.first_name %}",
        "---\nsubjct: x\nsender: {{ nope }}\n---\n{% for p in products %}{{ forloop.indx }}{% endfor %}",
        "{{ products | map: 'nmae' }}{{ products | sort: 'pirce' | size }}",
    ];
    let shown: Vec<String> = texts.iter().map(|text| format!("{text}\n{}\n", findings(text))).collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn two_senders_are_checked_each() {
    let parse = parse_template(FileId(0), "{{ code }}");
    let mut other = provided();
    other.variables.remove("code");
    assert!(check(&parse.template, &Parts::new(), &provided()).is_empty());
    assert_eq!(check(&parse.template, &Parts::new(), &other).len(), 1);
}
