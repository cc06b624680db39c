-- The JSON codec: what is read, what is refused and where, and what is written.
local json = require "f5.json"

local function sorted(value) return json.encode(value, { sort = true }) end

-- Same value, same type, arrays equal to arrays only.
local function same(a, b)
  if type(a) ~= type(b) or math.type(a) ~= math.type(b) then return false end
  if type(a) ~= "table" then return a == b and (a ~= 0 or 1 / a == 1 / b) end
  if json.is_array(a) ~= json.is_array(b) then return false end
  for key, value in pairs(a) do
    if not same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

local function message_of(fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  return (tostring(message):gsub("^[^ ]+:%d+: ", ""))
end

-- { text, what it is written as with sorted names; true: the same }
local accepted = {
  structure = {
    { "[]", true },
    { "{}", true },
    { "[[]]", true },
    { "[{}]", true },
    { '{"a":{}}', true },
    { '{"a":[]}', true },
    { "[1,[2,[3,[4]]]]", true },
    { '{"a":{"b":{"c":[{"d":null}]}}}', true },
    { "[[],[[]],{}]", true },
    { "null", true },
    { "true", true },
    { "false", true },
    { '"a"', true },
    { '""', true },
    { "42", true },
    { "-1", true },
    { "0.5", true },
    { "[null]", true },
    { "[true,false,null]", true },
    { "[null,null]", true },
    { "[1,null,3]", true },
    { "[null,1]", true },
    { " []", "[]" },
    { "[] ", "[]" },
    { "\t[\r\n1\t,\n2 ]\r\n", "[1,2]" },
    { ' { "a" : 1 , "b" : 2 } ', '{"a":1,"b":2}' },
    { "\n\n\n1", "1" },
    { "1\n", "1" },
    { '{"a":1,"a":2}', '{"a":2}' },
    { '{"a":1,"b":0,"a":1}', '{"a":1,"b":0}' },
    { '{"a":[1],"a":{}}', '{"a":{}}' },
    { '{"":0}', true },
    { '{"":{"":""}}', true },
    { '{"b":1,"a":2}', '{"a":2,"b":1}' },
    { '{"a\\u0000b":1}', true },
    { '{"a b":1,"a.b":2,"a/b":3}', true },
    { '{"10":1,"9":2}', true },
    { '{"null":null,"true":true}', true },
    { '{"https://localhost/mgmt/tm/sys/version/0":{"nestedStats":{"entries":{}}}}', true },
    {
      '{"membersReference":{"isSubcollection":true,"link":"https://localhost/x?ver=17.1.0"}}',
      true,
    },
    { "\xEF\xBB\xBF[1]", "[1]" },
    { "\xEF\xBB\xBF  {}", "{}" },
  },
  integers = {
    { "0", true },
    { "-0", "0" },
    { "7", true },
    { "-7", true },
    { "10", true },
    { "123456789", true },
    { "2147483647", true },
    { "2147483648", true },
    { "-2147483648", true },
    { "-2147483649", true },
    { "4294967295", true },
    { "4294967296", true },
    { "9007199254740991", true },
    { "9007199254740992", true },
    { "9007199254740993", true },
    { "-9007199254740993", true },
    { "1716551470123456", true },
    { "999999999999999999", true },
    { "1000000000000000000", true },
    { "9223372036854775806", true },
    { "9223372036854775807", true },
    { "-9223372036854775807", true },
    { "-9223372036854775808", true },
    { "[0,-1,1]", true },
    { "[ 4]", "[4]" },
    { "[1 ]", "[1]" },
    { '{"a":-123}', true },
  },
  floats = {
    { "0.0", true },
    { "-0.0", true },
    { "0e0", "0.0" },
    { "0E+1", "0.0" },
    { "-0e-1", "-0.0" },
    { "1.0", true },
    { "-1.0", true },
    { "1.5", true },
    { "0.1", true },
    { "0.2", true },
    { "0.3", true },
    { "1.10", "1.1" },
    { "100.0", true },
    { "1e2", "100.0" },
    { "1E2", "100.0" },
    { "1e+2", "100.0" },
    { "1E+2", "100.0" },
    { "1e-2", "0.01" },
    { "1E-2", "0.01" },
    { "1.5e3", "1500.0" },
    { "123e65", "1.23e+67" },
    { "123.456e78", "1.23456e+80" },
    { "0e1000000", "0.0" },
    { "1.676895504e+15", "1.676895504e+15" },
    { "1.7e+15", "1.7e+15" },
    { "1e15", "1e+15" },
    { "1e22", "1e+22" },
    { "1e23", "1e+23" },
    { "1e-22", "1e-22" },
    { "1e-23", "1e-23" },
    { "1e-7", "1e-07" },
    { "1e308", "1e+308" },
    { "1.7976931348623157e308", "1.7976931348623157e+308" },
    { "-1.7976931348623157e308", "-1.7976931348623157e+308" },
    { "2.2250738585072014e-308", "2.2250738585072014e-308" },
    { "5e-324", "4.9406564584125e-324" },
    { "1e-400", "0.0" },
    { "-1e-400", "-0.0" },
    { "1e-99999999999999999999", "0.0" },
    { "0.30000000000000004", true },
    { "3.141592653589793", true },
    { "2.718281828459045", true },
    { "9223372036854775808", "9.223372036854776e+18" },
    { "-9223372036854775809", "-9.223372036854776e+18" },
    { "18446744073709551615", "1.8446744073709552e+19" },
    { "18446744073709551616", "1.8446744073709552e+19" },
    { "99999999999999999999", "1e+20" },
    { "100000000000000000000", "1e+20" },
    { "-123123123123123123123123123123", "-1.2312312312312312e+29" },
    { "9007199254740993.0", "9007199254740992.0" },
    { "123456789012345.6", "123456789012345.6" },
    { "1234567890.123456", true },
    { "0.000001", "1e-06" },
    { "0.0001", true },
    { "0.00000000000000000000000000000000000001", "1e-38" },
    { "1" .. ("0"):rep(300) .. ".0e-300", "1.0" },
    { "0." .. ("0"):rep(400) .. "1e401", "1.0" },
    { "1e00000000002", "100.0" },
    { "8.5070591730234616e37", "8.507059173023462e+37" },
    { "6.631236846766476e-316", "6.6312368467665e-316" },
    { "2.2250738585072011e-308", "2.225073858507201e-308" },
    { "179769313486231570000" .. ("0"):rep(288), "1.7976931348623157e+308" },
  },
  strings = {
    { '"abc"', true },
    { '"a b"', true },
    { '"/"', true },
    { '"\\/"', '"/"' },
    { '"\\""', true },
    { '"\\\\"', true },
    { '"\\\\\\\\"', true },
    { '"\\b\\f\\n\\r\\t"', true },
    { '"\\u0008\\u000c\\u000A\\u000d\\u0009"', '"\\b\\f\\n\\r\\t"' },
    { '"\\u0000"', true },
    { '"a\\u0000b"', true },
    { '"\\u0001\\u001f"', true },
    { '"\\u0020"', '" "' },
    { '"\\u0022"', '"\\""' },
    { '"\\u005C"', '"\\\\"' },
    { '"\\u002f"', '"/"' },
    { '"\\u0041"', '"A"' },
    { '"\\u007f"', '"\127"' },
    { '"\127"', true },
    { '"\\u0080"', '"\u{80}"' },
    { '"\\u00e9"', '"é"' },
    { '"\\u00E9"', '"é"' },
    { '"\\u07ff"', '"\u{7ff}"' },
    { '"\\u0800"', '"\u{800}"' },
    { '"\\u20AC"', '"€"' },
    { '"\\ud7ff"', '"\u{d7ff}"' },
    { '"\\ue000"', '"\u{e000}"' },
    { '"\\uffff"', '"\u{ffff}"' }, { '"\\uFFFE"', '"\u{fffe}"' }, { '"\\ufdd0"', '"\u{fdd0}"' },
    { '"\\u2028\\u2029"', '"\u{2028}\u{2029}"' },
    { '"\\ud800\\udc00"', '"\u{10000}"' },
    { '"\\ud83d\\ude00"', '"😀"' },
    { '"\\uD834\\uDD1E"', '"𝄞"' },
    { '"\\udbff\\udfff"', '"\u{10ffff}"' },
    { '"\\ud83f\\udffe"', '"\u{1fffe}"' },
    { '"\\ud83d\\ude00\\ud83d\\ude00x"', '"😀😀x"' },
    { '"é"', true },
    { '"€"', true },
    { '"😀"', true },
    { '"\u{80}\u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}"', true },
    { '"\u{d7ff}\u{e000}"', true },
    { '"\u{feff}"', true },
    { '"Grüße aus Köln"', true },
    { '"\\u00e9tat"', '"état"' },
    { '"x\\ty\\tz"', true },
    { '"\\\\n"', true },
    { '"\\\\u0041"', true },
    { '"a/*b*/c//d"', true },
    { '"[{,:}]"', true },
    { '"ltm pool /Common/p {\\n    members none\\n}\\n"', true },
    { '"%1:80"', true },
    { '"' .. ("x"):rep(15) .. '"', true },
    { '"' .. ("x"):rep(16) .. '"', true },
    { '"' .. ("x"):rep(17) .. '"', true },
    { '"' .. ("x"):rep(40) .. '"', true },
    { '"' .. ("x"):rep(41) .. '"', true },
    { '"' .. ("x"):rep(100000) .. '"', true },
    { '"' .. ("é"):rep(5000) .. '"', true },
    { '"' .. ("\\n"):rep(5000) .. '"', true },
    { '"' .. ("x"):rep(15) .. "\\n" .. ("y"):rep(31) .. '\\"é"', true },
    { '["\\n","a","\\u0041"]', '["\\n","a","A"]' },
    { '{"\\u0061":1,"a":2}', '{"a":2}' },
    { '{"\\u00e9":1}', '{"é":1}' },
    { '{"a\\"b":"\\n"}', true },
  },
}

-- { text, the whole message }
local function at(line, column, byte, what)
  return ("line %d, column %d (byte %d): %s"):format(line, column, byte, what)
end
local function here(byte, what) return at(1, byte, byte, what) end
local ends, value = "the text ends", "expected a value, "
local rejected = {
  structure = {
    { "", here(1, value .. ends) },
    { " ", here(2, value .. ends) },
    { "\n", at(2, 1, 2, value .. ends) },
    { "\xEF\xBB\xBF", here(4, value .. ends) },
    { "\xEF\xBB", here(1, value .. "found byte 0xef") },
    { "\xEF\xBB\xBF\xEF\xBB\xBF1", here(4, value .. "found byte 0xef") },
    { "1\xEF\xBB\xBF", here(2, "expected the end of the text after the value, found byte 0xef") },
    { "[", here(2, value .. ends) },
    { "]", here(1, value .. "found ']'") },
    { "{", here(2, "expected a name in quotes or '}', " .. ends) },
    { "}", here(1, value .. "found '}'") },
    { "[[", here(3, value .. ends) },
    { "[1", here(3, "expected ',' or ']', " .. ends) },
    { "[1,", here(4, value .. ends) },
    { "[1,]", here(4, value .. "found ']'") },
    { "[,1]", here(2, value .. "found ','") },
    { "[1,,2]", here(4, value .. "found ','") },
    { "[1 2]", here(4, "expected ',' or ']', found '2'") },
    { "[1}", here(3, "expected ',' or ']', found '}'") },
    { "[1:2]", here(3, "expected ',' or ']', found ':'") },
    { '["a":1]', here(5, "expected ',' or ']', found ':'") },
    { "[1]]", here(4, "expected the end of the text after the value, found ']'") },
    { "[][]", here(3, "expected the end of the text after the value, found '['") },
    { "{}}", here(3, "expected the end of the text after the value, found '}'") },
    { "1 2", here(3, "expected the end of the text after the value, found '2'") },
    { "[1],", here(4, "expected the end of the text after the value, found ','") },
    { "{}#", here(3, "expected the end of the text after the value, found '#'") },
    { "{} // x", here(4, "expected the end of the text after the value, found '/'") },
    { "[/*x*/1]", here(2, value .. "found '/'") },
    { "//x\n1", here(1, value .. "found '/'") },
    { '{"a"}', here(5, "expected ':', found '}'") },
    { '{"a" 1}', here(6, "expected ':', found '1'") },
    { '{"a":}', here(6, value .. "found '}'") },
    { '{"a":', here(6, value .. ends) },
    { '{"a":1', here(7, "expected ',' or '}', " .. ends) },
    { '{"a":1,', here(8, "expected a name in quotes, " .. ends) },
    { '{"a":1,}', here(8, "expected a name in quotes, found '}'") },
    { '{"a":1,,"b":2}', here(8, "expected a name in quotes, found ','") },
    { '{,"a":1}', here(2, "expected a name in quotes or '}', found ','") },
    { '{"a":1 "b":2}', here(8, "expected ',' or '}', found '\"'") },
    { '{"a"::1}', here(6, value .. "found ':'") },
    { '{"a":1]', here(7, "expected ',' or '}', found ']'") },
    { '{"a":1:2}', here(7, "expected ',' or '}', found ':'") },
    { '{"a","b"}', here(5, "expected ':', found ','") },
    { "{a:1}", here(2, "expected a name in quotes or '}', found 'a'") },
    { "{'a':1}", here(2, "expected a name in quotes or '}', found '''") },
    { "{1:1}", here(2, "expected a name in quotes or '}', found '1'") },
    { "{null:1}", here(2, "expected a name in quotes or '}', found 'n'") },
    { "{[]:1}", here(2, "expected a name in quotes or '}', found '['") },
    { '{"a":1}x', here(8, "expected the end of the text after the value, found 'x'") },
    { "nul", here(1, value .. "found 'n'") },
    { "nulL", here(1, value .. "found 'n'") },
    { "nullx", here(5, "expected the end of the text after the value, found 'x'") },
    { "tru", here(1, value .. "found 't'") },
    { "fals", here(1, value .. "found 'f'") },
    { "[truth]", here(2, value .. "found 't'") },
    { "True", here(1, value .. "found 'T'") },
    { "NULL", here(1, value .. "found 'N'") },
    { "undefined", here(1, value .. "found 'u'") },
    { "abc", here(1, value .. "found 'a'") },
    { "<html>", here(1, value .. "found '<'") },
    { "[\0]", here(2, value .. "found byte 0x00") },
    { "\0", here(1, value .. "found byte 0x00") },
    { "1\0", here(2, "expected the end of the text after the value, found byte 0x00") },
    { "\f1", here(1, value .. "found byte 0x0c") },
    { "\v1", here(1, value .. "found byte 0x0b") },
    { "\u{a0}1", here(1, value .. "found byte 0xc2") },
    { "\u{2060}[]", here(1, value .. "found byte 0xe2") },
    { "[1\f]", here(3, "expected ',' or ']', found byte 0x0c") },
    { "\xFF\xFE[\0]\0", here(1, value .. "found byte 0xff") },
    { "\0[\0]", here(1, value .. "found byte 0x00") },
    { "*", here(1, value .. "found '*'") },
    { '["a",\n4\n,1,', at(3, 4, 12, value .. ends) },
    { '{\n  "a": 1,\n  "b" 2\n}', at(3, 7, 19, "expected ':', found '2'") },
    { "[\r\n1\r\n2]", at(3, 1, 7, "expected ',' or ']', found '2'") },
    { '["\\n\\n\\n", x]', here(12, value .. "found 'x'") },
    { '[\n"\\n\\u000a",\n  x]', at(3, 3, 17, value .. "found 'x'") },
  },
  numbers = {
    { "-", here(2, "expected a digit after the minus sign, " .. ends) },
    { "[-]", here(3, "expected a digit after the minus sign, found ']'") },
    { "--1", here(2, "expected a digit after the minus sign, found '-'") },
    { "- 1", here(2, "expected a digit after the minus sign, found byte 0x20") },
    { "+1", here(1, value .. "found '+'") },
    { "-a", here(2, "expected a digit after the minus sign, found 'a'") },
    { "-Infinity", here(2, "expected a digit after the minus sign, found 'I'") },
    { "-NaN", here(2, "expected a digit after the minus sign, found 'N'") },
    { "NaN", here(1, value .. "found 'N'") },
    { "Infinity", here(1, value .. "found 'I'") },
    { "inf", here(1, value .. "found 'i'") },
    { "01", here(1, "a number must not start with a zero") },
    { "-01", here(2, "a number must not start with a zero") },
    { "00", here(1, "a number must not start with a zero") },
    { "[012]", here(2, "a number must not start with a zero") },
    { "-00.5", here(2, "a number must not start with a zero") },
    { "0x1", here(2, "expected the end of the text after the value, found 'x'") },
    { ".5", here(1, value .. "found '.'") },
    { "-.5", here(2, "expected a digit after the minus sign, found '.'") },
    { "1.", here(3, "expected a digit after the decimal point, " .. ends) },
    { "[1.]", here(4, "expected a digit after the decimal point, found ']'") },
    { "0.e1", here(3, "expected a digit after the decimal point, found 'e'") },
    { "1.2.3", here(4, "expected the end of the text after the value, found '.'") },
    { "1..2", here(3, "expected a digit after the decimal point, found '.'") },
    { "1e", here(3, "expected a digit in the exponent, " .. ends) },
    { "1e+", here(4, "expected a digit in the exponent, " .. ends) },
    { "1E-", here(4, "expected a digit in the exponent, " .. ends) },
    { "1.0e", here(5, "expected a digit in the exponent, " .. ends) },
    { "1e1.5", here(4, "expected the end of the text after the value, found '.'") },
    { "1e++1", here(4, "expected a digit in the exponent, found '+'") },
    { "1ee1", here(3, "expected a digit in the exponent, found 'e'") },
    { "e1", here(1, value .. "found 'e'") },
    { "1,5", here(2, "expected the end of the text after the value, found ','") },
    { "1_000", here(2, "expected the end of the text after the value, found '_'") },
    { "1a", here(2, "expected the end of the text after the value, found 'a'") },
    { "[1 000]", here(4, "expected ',' or ']', found '0'") },
    { "0.1f", here(4, "expected the end of the text after the value, found 'f'") },
    { "１", here(1, value .. "found byte 0xef") },
    { "-１", here(2, "expected a digit after the minus sign, found byte 0xef") },
    { "[1\xE5]", here(3, "expected ',' or ']', found byte 0xe5") },
    { "0\0", here(2, "expected the end of the text after the value, found byte 0x00") },
    { "1e400", here(1, "the number is out of range") },
    { "[-1e400]", here(2, "the number is out of range") },
    { "1.8e308", here(1, "the number is out of range") },
    { "123123e100000", here(1, "the number is out of range") },
    { "1" .. ("0"):rep(400), here(1, "the number is out of range") },
    { "1e99999999999999999999", here(1, "the number is out of range") },
  },
  strings = {
    { '"', here(2, "the string that starts on this line is not closed") },
    { '"abc', here(5, "the string that starts on this line is not closed") },
    { '["a', here(4, "the string that starts on this line is not closed") },
    { '{"a', here(4, "the string that starts on this line is not closed") },
    { '"' .. ("x"):rep(40), here(42, "the string that starts on this line is not closed") },
    { '"\\', here(2, "unknown escape in a string") },
    { '"\\"', here(4, "the string that starts on this line is not closed") },
    { '"\\\\\\"', here(6, "the string that starts on this line is not closed") },
    { "'a'", here(1, value .. "found '''") },
    { '"a"b"', here(4, "expected the end of the text after the value, found 'b'") },
    { "\\n", here(1, value .. "found '\\'") },
    { '"\\x41"', here(2, "unknown escape in a string") },
    { '"\\a"', here(2, "unknown escape in a string") },
    { '"\\\'"', here(2, "unknown escape in a string") },
    { '"\\U0041"', here(2, "unknown escape in a string") },
    { '"\\0"', here(2, "unknown escape in a string") },
    { '"\\\n"', here(2, "unknown escape in a string") },
    { '"\\é"', here(2, "unknown escape in a string") },
    { '"\\\0"', here(2, "unknown escape in a string") },
    { '"\\u', here(2, "expected four hexadecimal digits after \\u, found '\\'") },
    { '"\\u"', here(2, "expected four hexadecimal digits after \\u, found '\\'") },
    { '"\\u12"', here(2, "expected four hexadecimal digits after \\u, found '\\'") },
    { '"\\u123"', here(2, "expected four hexadecimal digits after \\u, found '\\'") },
    { '"\\u123', here(2, "expected four hexadecimal digits after \\u, found '\\'") },
    { '"\\u12g4"', here(2, "expected four hexadecimal digits after \\u, found '\\'") },
    { '"\\u 123"', here(2, "expected four hexadecimal digits after \\u, found '\\'") },
    { '"\\u+123"', here(2, "expected four hexadecimal digits after \\u, found '\\'") },
    { '"\\u{41}"', here(2, "expected four hexadecimal digits after \\u, found '\\'") },
    { '"\\ud800"', here(2, "a high surrogate without the low one after it") },
    { '"\\udbff x"', here(2, "a high surrogate without the low one after it") },
    { '"\\ud83d\\n"', here(2, "a high surrogate without the low one after it") },
    { '"\\ud83d\\ud83d"', here(2, "a high surrogate without the low one after it") },
    { '"\\ud83d\\u0041"', here(2, "a high surrogate without the low one after it") },
    { '"\\ud83d\\u"', here(2, "a high surrogate without the low one after it") },
    { '"\\ud83d\\ude0"', here(2, "a high surrogate without the low one after it") },
    { '"\\ud83d\\', here(2, "a high surrogate without the low one after it") },
    { '"\\ud83dude00"', here(2, "a high surrogate without the low one after it") },
    { '"a\\udc00"', here(3, "a low surrogate without the high one before it") },
    { '"\\ude00\\ud83d"', here(2, "a low surrogate without the high one before it") },
    { '{"\\ud800":1}', here(3, "a high surrogate without the low one after it") },
    { '"a\nb"', here(3, "a control character in a string must be escaped") },
    { '"a\tb"', here(3, "a control character in a string must be escaped") },
    { '{"a\n":1}', here(4, "a control character in a string must be escaped") },
    { '["x\\ny","\r"]', here(10, "a control character in a string must be escaped") },
  },
  encodings = {
    { '"\x80"', here(2, "invalid UTF-8 in a string") },
    { '"\xBF"', here(2, "invalid UTF-8 in a string") },
    { '"\xC0\x80"', here(2, "invalid UTF-8 in a string") },
    { '"\xC0\xAF"', here(2, "invalid UTF-8 in a string") },
    { '"\xC1\xBF"', here(2, "invalid UTF-8 in a string") },
    { '"\xC2"', here(2, "invalid UTF-8 in a string") },
    { '"\xC2\x7F"', here(2, "invalid UTF-8 in a string") },
    { '"\xC2\xC0"', here(2, "invalid UTF-8 in a string") },
    { '"\xE0\x80\x80"', here(2, "invalid UTF-8 in a string") },
    { '"\xE0\x9F\xBF"', here(2, "invalid UTF-8 in a string") },
    { '"\xE1\x80"', here(2, "invalid UTF-8 in a string") },
    { '"\xE2\x82"', here(2, "invalid UTF-8 in a string") },
    { '"\xE2\x28\xA1"', here(2, "invalid UTF-8 in a string") },
    { '"\xED\xA0\x80"', here(2, "invalid UTF-8 in a string") },
    { '"\xED\xBF\xBF"', here(2, "invalid UTF-8 in a string") },
    { '"\xED\xA0\xBD\xED\xB8\x80"', here(2, "invalid UTF-8 in a string") },
    { '"\xF0\x80\x80\x80"', here(2, "invalid UTF-8 in a string") },
    { '"\xF0\x8F\xBF\xBF"', here(2, "invalid UTF-8 in a string") },
    { '"\xF0\x9F\x98"', here(2, "invalid UTF-8 in a string") },
    { '"\xF0\x9F\x98\x7F"', here(2, "invalid UTF-8 in a string") },
    { '"\xF4\x90\x80\x80"', here(2, "invalid UTF-8 in a string") },
    { '"\xF5\x80\x80\x80"', here(2, "invalid UTF-8 in a string") },
    { '"\xF8\x88\x80\x80\x80"', here(2, "invalid UTF-8 in a string") },
    { '"\xFC\x84\x80\x80\x80\x80"', here(2, "invalid UTF-8 in a string") },
    { '"\xFE"', here(2, "invalid UTF-8 in a string") },
    { '"\xFF"', here(2, "invalid UTF-8 in a string") },
    { '"\xE9tat"', here(2, "invalid UTF-8 in a string") },
    { '"abc\xE9"', here(5, "invalid UTF-8 in a string") },
    { '{"\xFF":1}', here(3, "invalid UTF-8 in a string") },
    { '"\xF0\x9F\x98', here(2, "invalid UTF-8 in a string") },
    { '"\xC3', here(2, "invalid UTF-8 in a string") },
    { '"' .. ("x"):rep(37) .. '\xFF"', here(39, "invalid UTF-8 in a string") },
    { '"\\n\xFF"', here(4, "invalid UTF-8 in a string") },
    { '"\xFF\\', here(2, "invalid UTF-8 in a string") },
    { '["é",\xC3]', here(7, value .. "found byte 0xc3") },
    { "[\xFF]", here(2, value .. "found byte 0xff") },
  },
}

local function shown(text)
  return #text > 60 and ("%q… (%d bytes)"):format(text:sub(1, 50), #text) or ("%q"):format(text)
end

for class, cases in pairs(accepted) do
  describe("json reads " .. class, function()
    for _, case in ipairs(cases) do
      local text, written = case[1], case[2]
      if written == true then written = text end
      it(shown(text), function()
        local decoded = json.decode(text)
        assert.are.equal(written, sorted(decoded))
        assert.is_true(same(decoded, json.decode(written)))
      end)
    end
  end)
end

for class, cases in pairs(rejected) do
  describe("json refuses " .. class, function()
    for _, case in ipairs(cases) do
      it(
        shown(case[1]),
        function()
          assert.are.equal("invalid JSON: " .. case[2], message_of(json.decode, case[1]))
        end
      )
    end
  end)
end

describe("json reads", function()
  it("integers as integers and everything else as floats", function()
    local kinds = {
      ["1"] = "integer",
      ["-0"] = "integer",
      ["9223372036854775807"] = "integer",
      ["-9223372036854775808"] = "integer",
      ["1.0"] = "float",
      ["1e0"] = "float",
      ["9223372036854775808"] = "float",
      ["-9223372036854775809"] = "float",
      ["-0.0"] = "float",
    }
    for text, kind in pairs(kinds) do
      assert.are.equal(kind, math.type(json.decode(text)), text)
    end
    assert.are.equal(math.maxinteger, json.decode "9223372036854775807")
    assert.are.equal(math.mininteger, json.decode "-9223372036854775808")
    assert.are.equal(-math.huge, 1 / json.decode "-0.0")
  end)

  it("floats as tonumber does", function()
    local texts = {
      "0.1",
      "1e23",
      "9007199254740993.5",
      "2.2250738585072012e-308",
      "4.35",
      "5e-325",
      "3e-324",
      "123456789.123456789e-5",
      "1e-22",
      "123456789012345e22",
      "0.1e23",
      "1.00000000000000011102230246251565404236316680908203125",
      "1.00000000000000011102230246251565404236316680908203124",
    }
    for _, text in ipairs(texts) do
      assert.are.equal(tonumber(text), json.decode(text), text)
    end
  end)

  it("null as a value that is equal to cjson's and named null", function()
    assert.are.equal(json.null, json.decode "null")
    assert.are.equal("userdata", type(json.null))
    assert.are.equal("null", tostring(json.null))
    local found, cjson = pcall(require, "cjson")
    if found then assert.are.equal(cjson.null, json.null) end
  end)

  it("arrays and objects apart, also empty ones", function()
    local decoded = json.decode '{"a":[],"o":{},"l":[{},[]]}'
    assert.is_true(json.is_array(decoded.a))
    assert.is_false(json.is_array(decoded.o))
    assert.is_true(json.is_array(decoded.l))
    assert.is_false(json.is_array(decoded.l[1]))
    assert.is_true(json.is_array(decoded.l[2]))
    assert.are.equal('{"a":[],"l":[{},[]],"o":{}}', sorted(decoded))
  end)

  it("containers of every size around its internal batches", function()
    for _, size in ipairs {
      0, 1, 2, 31, 32, 33, 63, 64, 65, 127, 128, 129, 191, 192, 193, 255, 256, 257, 1000, 20000,
    } do
      local elements, fields = {}, {}
      for i = 1, size do
        elements[i] = tostring(i)
        fields[i] = ('"k%d":%d'):format(i, i)
      end
      local array = json.decode("[" .. table.concat(elements, ",") .. "]")
      assert.are.equal(size, #array)
      assert.is_true(json.is_array(array))
      for i = 1, size do assert(array[i] == i) end
      local object, count = json.decode("{" .. table.concat(fields, ",") .. "}"), 0
      for key, number in pairs(object) do
        assert(key == "k" .. number)
        count = count + 1
      end
      assert.are.equal(size, count)
    end
  end)

  it("the last of duplicate names, also far apart", function()
    for _, between in ipairs { 0, 1, 62, 63, 64, 65, 200 } do
      local fields = { '"same":1' }
      for i = 1, between do fields[#fields + 1] = ('"k%d":0'):format(i) end
      fields[#fields + 1] = '"same":2'
      assert.are.equal(2, json.decode("{" .. table.concat(fields, ",") .. "}").same)
    end
  end)

  it("512 levels and not one more", function()
    local function nested(levels, open, close) return open:rep(levels) .. close:rep(levels) end
    assert.are.equal(nested(512, "[", "]"), json.encode(json.decode(nested(512, "[", "]"))))
    assert.are.equal(
      "invalid JSON: " .. here(513, "nested too deeply"),
      message_of(json.decode, nested(513, "[", "]"))
    )
    assert.are.equal(
      "invalid JSON: " .. here(513, "nested too deeply"),
      message_of(json.decode, ("["):rep(100000))
    )
    assert.are.equal(
      "invalid JSON: " .. here(2561, "nested too deeply"),
      message_of(json.decode, ('{"a":'):rep(100000))
    )
    assert.are.equal(
      511,
      select(
        2,
        json.encode(json.decode(('{"a":'):rep(511) .. "{}" .. ("}"):rep(511))):gsub('"a"', "")
      )
    )
  end)

  it("no beginning of a text as a whole text", function()
    local text = '{"a":[1,-2.5,"x\\n\\u00e9\\ud83d\\ude00é😀"],"b":{"c":null,"d":true,"e":false}}'
    assert(json.decode(text))
    for length = 0, #text - 1 do
      assert.is_false(pcall(json.decode, text:sub(1, length)), text:sub(1, length))
    end
  end)

  it("no byte between tokens but space, tab, newline and carriage return", function()
    for byte = 0, 255 do
      local char = string.char(byte)
      assert.are.equal(
        (" \t\n\r"):find(char, 1, true) ~= nil,
        (pcall(json.decode, "[true" .. char .. ",2]")),
        ("byte 0x%02x"):format(byte)
      )
    end
  end)

  it("no control character and no lone byte above 0x7f in strings, wherever it stands", function()
    for _, before in ipairs { 0, 1, 7, 8, 14, 15, 16, 17, 31, 32, 33 } do
      for byte = 0, 255 do
        local good = byte >= 0x20 and byte < 0x80 and byte ~= 0x22 and byte ~= 0x5c
        local text = '["' .. ("x"):rep(before) .. string.char(byte) .. ("y"):rep(20) .. '"]'
        assert(pcall(json.decode, text) == good, text)
      end
    end
  end)

  it("no escape but the nine of the standard", function()
    for byte = 0, 255 do
      local char = string.char(byte)
      local good = ('"\\/bfnrt'):find(char, 1, true) ~= nil
      assert(pcall(json.decode, '"\\' .. char .. '"') == good, ("byte 0x%02x"):format(byte))
    end
  end)

  it("every character of Unicode, plain and escaped", function()
    local function escaped(c)
      if c < 0x10000 then return ("\\u%04x"):format(c) end
      return ("\\u%04X\\u%04X"):format(
        0xd800 + ((c - 0x10000) >> 10),
        0xdc00 + ((c - 0x10000) & 0x3ff)
      )
    end
    for plane = 0, 0x10ffff, 0x1000 do
      local plain, escapes = {}, {}
      for c = plane, plane + 0xfff do
        if c >= 0x20 and (c < 0xd800 or c > 0xdfff) and c ~= 0x22 and c ~= 0x5c then
          plain[#plain + 1] = utf8.char(c)
          escapes[#escapes + 1] = escaped(c)
        end
      end
      local all = table.concat(plain)
      assert(json.decode('"' .. all .. '"') == all)
      assert(json.decode('"' .. table.concat(escapes) .. '"') == all)
      assert(json.encode(all) == '"' .. all .. '"')
    end
  end)

  it("inside a coroutine and with the collector at work", function()
    local text = '{"a":[' .. ('{"name":"x\\ny","list":[1,2,3]},'):rep(300) .. "0]}"
    local decoded = coroutine.wrap(function() return json.decode(text) end)()
    assert.are.equal(301, #decoded.a)
    collectgarbage "stop"
    json.decode(text .. (" "):rep(100000))
    assert.is_false(collectgarbage "isrunning")
    collectgarbage "restart"
    json.decode(text .. (" "):rep(100000))
    assert.is_true(collectgarbage "isrunning")
    pcall(json.decode, text .. (" "):rep(100000) .. "x")
    assert.is_true(collectgarbage "isrunning")
  end)

  it("names correctly when a finalizer decodes, too", function()
    local finalized = 0
    local function litter()
      setmetatable({}, { __gc = function()
        finalized = finalized + 1
        assert(json.decode(('{"f%d":{"name":1}}'):format(finalized))["f" .. finalized].name == 1)
      end })
    end
    collectgarbage("setpause", 100)
    for round = 1, 300 do
      for _ = 1, 5 do litter() end
      local fields = {}
      for i = 1, 50 do fields[i] = ('"n%d_%d":"%d"'):format(round, i, i) end
      local decoded = json.decode("{" .. table.concat(fields, ",") .. "}")
      for i = 1, 50 do assert(decoded[("n%d_%d"):format(round, i)] == tostring(i)) end
    end
    collectgarbage("setpause", 200)
    collectgarbage()
    assert.is_true(finalized > 0)
  end)

  it("only strings", function()
    assert.matches("string expected, got table", message_of(json.decode, {}))
    assert.matches("string expected, got no value", message_of(json.decode))
  end)
end)

describe("json writes", function()
  local array, null = json.array, json.null

  it("plain values", function()
    assert.are.equal("null", json.encode(null))
    assert.are.equal("true", json.encode(true))
    assert.are.equal("false", json.encode(false))
    assert.are.equal('"x"', json.encode "x")
    assert.are.equal("-9223372036854775808", json.encode(math.mininteger))
    assert.are.equal("9223372036854775807", json.encode(math.maxinteger))
    assert.are.equal("1716551470123456", json.encode(1716551470123456))
    assert.are.equal('"10.0.0.1:443"', json.encode("10.0.0.1:" .. json.decode "443"))
  end)

  it("floats that stay floats and read back the same", function()
    local cases = {
      { 1.0, "1.0" }, { -0.0, "-0.0" }, { 0.1, "0.1" }, { 1e15, "1e+15" },
      { 2.0 ^ 53, "9007199254740992.0" }, { 1 / 3, "0.3333333333333333" }, { -2.5, "-2.5" },
    }
    for _, case in ipairs(cases) do
      assert.are.equal(case[2], json.encode(case[1]))
    end
  end)

  it("control characters escaped, and nothing that need not be", function()
    local shorts = {
      ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ['"'] = '\\"',
      ["\\"] = "\\\\",
    }
    for byte = 0, 127 do
      local char = string.char(byte)
      local short = shorts[char]
      local expected = short or byte < 0x20 and ("\\u%04x"):format(byte) or char
      assert.are.equal('"' .. expected .. '"', json.encode(char))
    end
    assert.are.equal('"a/b é 😀"', json.encode "a/b é 😀")
  end)

  it("sequences as arrays, and empty tables as objects unless they are marked", function()
    assert.are.equal("[1,2,3]", json.encode { 1, 2, 3 })
    assert.are.equal("[[1],[2]]", json.encode { { 1 }, { 2 } })
    assert.are.equal("{}", json.encode {})
    assert.are.equal("[]", json.encode(array()))
    assert.are.equal("[]", json.encode(array {}))
    assert.are.equal('{"members":[]}', json.encode { members = array {} })
    assert.are.equal("[1,null,3]", json.encode { 1, null, 3 })
    local reversed = {}
    for i = 100, 1, -1 do reversed[i] = i end
    assert.are.equal(100, #json.decode(json.encode(reversed)))
    local grown = json.decode "[]"
    grown[1] = "x"
    assert.are.equal('["x"]', json.encode(grown))
    local emptied = json.decode "[1]"
    emptied[1] = nil
    assert.are.equal("[]", json.encode(emptied))
  end)

  it("sorted names, with some of them first", function()
    local value_ = {
      zeta = 1, alpha = { y = 1, kind = 2, x = 3 }, name = 3, kind = 4, ["10"] = 5, ["9"] = 6,
      ["é"] = 7, alph = 8,
    }
    value_[""] = 9
    assert.are.equal(
      '{"":9,"10":5,"9":6,"alph":8,"alpha":{"kind":2,"x":3,"y":1},"kind":4,"name":3,"zeta":1,'
        .. '"é":7}',
      sorted(value_)
    )
    assert.are.equal(
      '{"name":3,"kind":4,"":9,"10":5,"9":6,"alph":8,"alpha":{"kind":2,"x":3,"y":1},"zeta":1,'
        .. '"é":7}',
      json.encode(value_, { sort = true, first = { "absent", "name", "kind" } })
    )
    local many = {}
    for i = 1, 1000 do many[("k%04d"):format(i)] = { b = i, a = { d = i, c = i } } end
    local parts = {}
    for i = 1, 1000 do parts[i] = ('"k%04d":{"a":{"c":%d,"d":%d},"b":%d}'):format(i, i, i, i) end
    assert.are.equal("{" .. table.concat(parts, ",") .. "}", sorted(many))
  end)

  it("indented as a person would", function()
    local value_ = { a = {}, b = array {}, c = { 1, { d = "x" } }, e = null }
    assert.are.equal([[
{
  "a": {},
  "b": [],
  "c": [
    1,
    {
      "d": "x"
    }
  ],
  "e": null
}]], json.encode(value_, { sort = true, indent = 2 }))
    assert.are.equal("{}", json.encode({}, { indent = 4 }))
    assert.are.equal("[\n    1\n]", json.encode({ 1 }, { indent = 4 }))
    assert.are.equal("1", json.encode(1, { indent = 4 }))
    assert.is_true(
      same(json.decode(sorted(value_)), json.decode(json.encode(value_, { indent = 3 })))
    )
  end)

  it("errors with the way to the value", function()
    local cycle = { list = { {} } }
    cycle.list[1].back = cycle
    local deep = {}
    for _ = 1, 600 do
      deep = { deep }
    end
    local function write(value_)
      return (message_of(json.encode, value_):gsub("^cannot encode ", ""))
    end
    assert.are.equal("a function", write(print))
    assert.are.equal("nil", write(nil))
    assert.are.equal("a userdata", write(io.stdout))
    assert.are.equal("a thread at t", write { t = coroutine.create(print) })
    assert.are.equal(
      "a function at members[2].port",
      write { members = { { port = 1 }, { port = print } } }
    )
    assert.are.equal("nan (JSON has no such number) at rate", write { rate = 0 / 0 })
    assert.are.equal(
      "infinity (JSON has no such number) at rates[3]",
      write { rates = { 1, 2, math.huge } }
    )
    assert.are.equal("infinity (JSON has no such number)", write(-math.huge))
    assert.are.equal(
      "a string that is not UTF-8 (byte 0xff at position 3) at description",
      write { description = "ab\xff" }
    )
    assert.are.equal("a string that is not UTF-8 (byte 0xed at position 1)", write "\xed\xa0\x80")
    assert.are.equal(
      'a name that is not UTF-8 (byte 0xe9 at position 1) at x["\\xe9tat"]',
      write { x = { ["\xe9tat"] = 1 } }
    )
    assert.are.equal(
      'a function at ["a b"]["é"]["\\x0a"].ok[1]',
      write { ["a b"] = { ["é"] = { ["\n"] = { ok = { print } } } } }
    )
    assert.are.equal("a table that contains itself at list[1].back", write(cycle))
    assert.matches("^tables nested more than 512 levels deep at %[1%]%[1%].*%.%.%.$", write(deep))
    assert.are.equal(
      "an array with holes (2 elements, the last at [4]) at x",
      write { x = { [1] = 1, [4] = 4 } }
    )
    assert.are.equal("an array with holes (1 elements, the last at [2])", write(array { [2] = 1 }))
    assert.are.equal("an array that also has the key 'n'", write { 1, 2, n = 2 })
    assert.are.equal("an array that also has the key 'n'", write(array { n = 2 }))
    assert.are.equal("a table with the key 0 (number)", write { [0] = 1 })
    assert.are.equal("a table with the key 1.5 (number)", write { [1.5] = 1 })
    assert.are.equal(
      "a table with names that also has the key true (boolean)",
      write { [true] = 1 }
    )
  end)

  it("the same table twice when it does not contain itself", function()
    local shared = { 1 }
    assert.are.equal("[[1],[1]]", json.encode { shared, shared })
  end)

  it("nothing with unknown options", function()
    assert.matches(
      "unknown option 'pretty' %(sort, first, indent%)",
      message_of(json.encode, {}, { pretty = true })
    )
    assert.matches("indent must be from 0 to 16", message_of(json.encode, {}, { indent = -1 }))
    assert.matches("first must be a list of names", message_of(json.encode, {}, { first = "kind" }))
    assert.matches("first must be a list of names", message_of(json.encode, {}, { first = { 1 } }))
  end)

  it("array marks a table, in place, and keeps other metatables out", function()
    local plain = {}
    assert.are.equal(plain, array(plain))
    assert.is_true(json.is_array(plain))
    assert.is_false(json.is_array {})
    assert.is_false(json.is_array "x")
    assert.matches("another metatable", message_of(array, setmetatable({}, {})))
    assert.are.equal(plain, array(plain))
  end)
end)

describe("json round trip", function()
  -- F5LUA_SEED repeats a failing run.
  local seed = math.tointeger(os.getenv "F5LUA_SEED") or os.time()
  local state = seed
  local function random(n) -- 1..n; own generator, so that the seed says everything
    state = (state * 6364136223846793005 + 1442695040888963407)
    return (state >> 33) % n + 1
  end

  local alphabet = {
    "a", "B", "7", " ", '"', "\\", "/", "\n", "\0", "\31", "\127", "é", "€", "😀", "\u{10ffff}",
    "xxxxxxxxxxxxxxx",
  }
  local function text()
    local parts = {}
    for i = 1, random(12) - 1 do parts[i] = alphabet[random(#alphabet)] end
    return table.concat(parts)
  end
  local function number()
    local kind = random(5)
    if kind == 1 then return random(2000) - 1000 end
    if kind == 2 then return state ~ (state << 7) end -- any integer
    if kind == 3 then return (random(2000) - 1000) / 8 end
    if kind == 4 then return (random(2000001) - 1000001) * 10.0 ^ (random(600) - 300) end
    local any = string.unpack("d", string.pack("j", state * 2862933555777941757)) -- any float
    return (any ~= any or any == math.huge or any == -math.huge) and 0.5 or any
  end
  local function any(depth)
    local kind = random(depth > 5 and 5 or 8)
    if kind == 1 then return json.null end
    if kind == 2 then return random(2) == 1 end
    if kind == 3 then return number() end
    if kind <= 5 then return text() end
    local made = {}
    if kind == 6 then
      for i = 1, random(6) - 1 do made[i] = any(depth + 1) end
      return json.array(made)
    end
    for _ = 1, random(8) - 1 do made[text()] = any(depth + 1) end
    return made
  end

  it("keeps 5,000 random values whatever the style", function()
    local styles =
      { {}, { sort = true }, { indent = 2 }, { sort = true, indent = 1, first = { "a", "" } } }
    for round = 1, 5000 do
      local before = any(0)
      local written = json.encode(before, styles[round % #styles + 1])
      local after = json.decode(written)
      assert(same(before, after), ("seed %d, round %d: %s"):format(seed, round, written))
      assert(
        sorted(after) == sorted(before),
        ("seed %d, round %d: %s"):format(seed, round, written)
      )
    end
  end)

  it("reads what another encoder writes, and is read by it", function()
    local found, other = pcall(require, "dkjson")
    if not found then return pending "dkjson is not installed" end
    for round = 1, 500 do
      local before = { value = any(0) }
      local theirs = other.encode((other.decode(json.encode(before), 1, other.null)))
      local function blur(value_) -- that encoder shortens floats and forgets what is an array
        if math.type(value_) == "float" then return ("%.10g"):format(value_) end
        if type(value_) ~= "table" then
          return math.type(value_) == "integer" and ("%.10g"):format(value_) or value_
        end
        local copy = {}
        for key, element in pairs(value_) do copy[key] = blur(element) end
        return copy
      end
      assert.are.same(
        blur(before),
        blur(json.decode(theirs)),
        ("seed %d, round %d"):format(seed, round)
      )
    end
  end)
end)
