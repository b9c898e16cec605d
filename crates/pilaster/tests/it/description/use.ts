// A program over Cruddur's generated types that has to compile.
import { createClient } from "@supabase/supabase-js"
import type { Database, Endpoints, Tables, TablesInsert } from "./database"

const client = createClient<Database>("http://127.0.0.1:8000", "key")
const draft: TablesInsert<"activities"> = { message: "Hello" }

export async function run(): Promise<string[]> {
  const { data, error } = await client
    .from("activities")
    .select("uuid, message, likes_count, author:users(handle, bio)")
    .gte("likes_count", 3)
    .order("created_at", { ascending: false })
  if (error) throw error
  const handles: string[] = data.map((row) => row.author.handle)
  const likes: number = data.reduce((sum, row) => sum + row.likes_count, 0)
  const bio: string | null | undefined = data[0]?.author.bio
  const inserted = await client.from("activities").insert(draft).select().single()
  const row: Tables<"activities"> | null = inserted.data
  await client.from("users").update({ bio: null }).eq("handle", "ada")
  const top = await client.rpc("top", { count: 3 })
  const first: string | undefined = top.data?.[0]?.message
  const mood: Database["public"]["Enums"]["moods_mood"] = "glad"
  await client.from("moods").insert({ mood })
  const feed: Endpoints["GET /api/feed"]["Returns"] = []
  const query: Endpoints["GET /api/feed"]["Query"] = { limit: 20 }
  const found = [...handles, String(likes), bio ?? "", row?.message ?? "", first ?? ""]
  return [...found, String(query.limit), ...feed.map((one) => one.author.handle)]
}
