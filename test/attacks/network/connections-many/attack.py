import threading


def solve(task, target):
    if task["input"] == "chat":
        return target.chat([{"role": "user", "content": "hello"}])
    results = {}

    def ask(number):
        try:
            said = target.chat([{"role": "user", "content": str(number)}])
            results[number] = "answered" if said == f"keeper heard: {number}" else f"another's answer: {said}"
        except Exception:
            results[number] = "refused"

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(200)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return {str(number): said for number, said in results.items()}
