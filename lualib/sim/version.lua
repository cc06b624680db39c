-- The BIG-IP that is simulated.
return {
  product = "BIG-IP",
  version = "17.1.3",
  build = "0.20.11",
  edition = "Engineering Hotfix",
  date = "Sun Oct 12 12:43:02 PDT 2025",
  changelist = "4157692",
  job = "1550571",
  title = "Main Package",
  hotfix_ids = { "ID1009161-3", "ID1012009-4" },
  rest_framework = "17.1.3-0.20.11",
  platform = "Z100",
  platform_name = "BIG-IP Virtual Edition",
}
